import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { expect } from 'chai';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** The ```ts blocks of a page, with the line on which each begins. */
function codeBlocks(markdown: string): { line: number; code: string }[] {
  return Array.from(markdown.matchAll(/^```ts\n([\s\S]*?)^```$/gm), (match) => ({
    line: markdown.slice(0, match.index).split('\n').length,
    code: match[1],
  }));
}

/** What a block says that it prints: the lines that are comments, and nothing else. (Remarks go behind code.) */
function promisedOutput(code: string): string {
  const promised = code.split('\n').filter((line) => line.startsWith('// '));
  return promised.map((line) => line.slice(3)).join('\n');
}

/**
 * Runs every example of a page of this repository, as a program in its folder, and compares what it prints with
 * the comments that say so. Each block stands for itself, with its own imports. Links to files have to lead
 * somewhere.
 */
export function testReadme(path: string): void {
  const page = join(ROOT, path);
  const markdown = readFileSync(page, 'utf8');

  describe(`the examples of ${path}`, () => {
    let folder: string;
    before(() => {
      folder = mkdtempSync(join(tmpdir(), 'readme-'));
    });
    after(() => rmSync(folder, { recursive: true }));

    for (const { line, code } of codeBlocks(markdown)) {
      it(`line ${line}`, async () => {
        const program = code.replaceAll(/(from\s+')(\.[^']*)'/g, (_, from, target) => {
          return `${from}${pathToFileURL(resolve(dirname(page), target)).href}'`;
        });
        const file = join(folder, `line-${line}.mts`);
        writeFileSync(file, program);
        const printed: string[] = [];
        const { log } = console;
        console.log = (...values) => void printed.push(values.map(String).join(' '));
        try {
          await import(pathToFileURL(file).href);
        } finally {
          console.log = log;
        }
        expect(printed.join('\n')).to.equal(promisedOutput(code));
      });
    }

    it('has no link that leads nowhere', () => {
      const links = Array.from(
        markdown.matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g),
        ([, target]) => target,
      );
      const dead = links.filter((target) => !existsSync(resolve(dirname(page), target)));
      expect(dead).to.deep.equal([]);
    });
  });
}
