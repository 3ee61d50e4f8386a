/** Runs the code of an example: its types are taken out, its imports are the modules of this book. */

import { modules } from 'site:modules';
import { transform } from 'sucrase';
import { UserError } from '../../../lib/index.ts';
import * as fs from '../node/fs.ts';
import * as os from '../node/os.ts';
import * as path from '../node/path.ts';
import { absolute } from '../node/store.ts';

const OF_NODE: Record<string, unknown> = { 'node:fs': fs, 'node:os': os, 'node:path': path };
const NAME = 'example.js';

type Body = (require: (name: string) => unknown, exports: object, module: object) => Promise<void>;
const AsyncFunction = (async () => {}).constructor as new (...words: string[]) => Body;

/**
 * @param folder where it stands in the repository: relative imports start there
 * @throws UserError, or whatever the code throws, with the `line` of the code, counted from 1, where it is known
 */
export async function runExample(code: string, folder: string): Promise<void> {
  let program: string;
  try {
    program = transform(code, { transforms: ['typescript', 'imports'] }).code;
  } catch (error) {
    const { message, loc } = error as Error & { loc?: { line: number } };
    throw Object.assign(new UserError(message.replace(/^Error transforming [^:]*: /, '')), {
      line: loc?.line,
    });
  }
  const imported = new Map<string, unknown>();
  for (const [, name] of program.matchAll(/require\('([^']+)'\)/g)) {
    if (!imported.has(name)) imported.set(name, await importModule(name, folder));
  }
  // A function's head takes up two lines before its body.
  const body = new AsyncFunction('require', 'exports', 'module', `${program}\n//# sourceURL=${NAME}`);
  try {
    await body((name) => imported.get(name), {}, {});
  } catch (error) {
    throw Object.assign(error as Error, { line: lineOf(error) });
  }
}

async function importModule(name: string, folder: string): Promise<unknown> {
  if (name in OF_NODE) return OF_NODE[name];
  const file = name.startsWith('.') ? absolute(`${folder}/${name}`).slice(1) : name;
  const load = modules[file];
  if (!load)
    throw new UserError(
      `there is no module '${name}' here: import files of lib and chapters, such as '../../lib/index.ts'`,
    );
  return load();
}

/** V8 and Firefox name the place in their own ways, both with the name of the source. */
function lineOf(error: unknown): number | undefined {
  const [, line] = /example\.js:(\d+)/.exec((error as Error)?.stack ?? '') ?? [];
  return line === undefined ? undefined : Number(line) - 2;
}
