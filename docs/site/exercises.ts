/** The exercises of a chapter, from the file of their solutions, where each begins with a comment `/** N. …`. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './bundle.ts';

export interface Exercise {
  /** Its comment: what the solution rests on. */
  hint: string;
  solution: string;
  /** What the reader begins with: the imports and the first line of each function, without its body. */
  beginning: string;
}

/** In the order of their numbers. */
export function exercisesOf(folder: string): Exercise[] {
  const file = join(ROOT, folder, 'exercises.ts');
  if (!existsSync(file)) return [];
  const [head, ...parts] = readFileSync(file, 'utf8').split(/^\/\*\*\s+(?:\* )?\d+\. /m);
  const imports = head.match(/^import [\s\S]*?;$/gm) ?? [];
  return parts.map((part) => {
    const end = part.indexOf('*/');
    const solution = part.slice(end + 2).trim();
    const isUsed = (statement: string) =>
      statement.match(/\w+(?=[\s,}])/g)!.some((name) => new RegExp(`\\b${name}\\b`).test(solution));
    // A body: what is indented between a line that ends with `{` and the next `}` alone.
    const empty = solution.replaceAll(/(^\S.*\{\n)(?:(?:[ \t].*)?\n)*\}$/gm, '$1  // yours\n}');
    return {
      hint: part
        .slice(0, end)
        .replaceAll(/\s*\n \*?\s*/g, ' ')
        .trim(),
      solution,
      beginning: `${imports.filter(isUsed).join('\n')}\n\n${empty}`.trim(),
    };
  });
}
