import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';

/** What a new chapter is easily left without: CONTRIBUTING, "Adding a chapter", steps 5 and 6. */

const ROOT = new URL('../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, ROOT), 'utf8');
const { scripts } = JSON.parse(read('package.json'));
const CHAPTERS = readdirSync(new URL('chapters/', ROOT)).filter((name) =>
  /^(chapter\d\d|appendix[A-Z]|llama|gemma)$/.test(name),
);

describe('a chapter is known', () => {
  for (const chapter of CHAPTERS) {
    it(`${chapter} has its command, its row in README.md, its page and its tests`, () => {
      expect(scripts[chapter], 'the script in package.json').to.include(`chapters/${chapter}/run.ts`);
      expect(read('README.md'), 'README.md').to.include(`| \`npm run ${chapter}\` |`);
      expect(read('docs/site/pages.ts'), 'docs/site/pages.ts').to.include(`chapters/${chapter}/README.md`);
      expect(existsSync(new URL(`test/chapters/${chapter}/readme.test.ts`, ROOT)), 'readme.test.ts').to.equal(
        true,
      );
    });

    it(`${chapter}'s page says what one will be able to do, what to change, and has exercises`, () => {
      const page = read(`chapters/${chapter}/README.md`);
      expect(page).to.match(/At the end/);
      expect(page).to.include('\n## What to change, and what to expect\n');
      expect(page).to.include('\n## Exercises\n');
      expect(page.match(/^\d+\. /gm), 'exercises').to.have.length(
        read(`chapters/${chapter}/exercises.ts`).match(/^\/\*\* \d+\. |^ \* \d+\. /gm)?.length ?? 0,
      );
    });
  }
});
