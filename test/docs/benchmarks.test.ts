import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { UserError } from '../../lib/index.ts';
import { SECTIONS } from '../bench/tables/sections.ts';
import { inMarkdown, tables, withSection } from '../bench/tables/write.ts';

describe('The tables of docs/benchmarks.md', () => {
  const page = readFileSync('docs/benchmarks.md', 'utf8');
  const text = inMarkdown('a machine.', {
    header: ['a', 'b'],
    rows: [['1', '2']],
    missing: ['c: no c here'],
  });

  it('have a place for each section, and no place without one', () => {
    const places = [...page.matchAll(/<!-- bench (\S+) -->/g)].map(([, name]) => name);
    expect(places).to.deep.equal(Object.keys(SECTIONS));
  });

  it('are replaced one by one, as often as one likes; nothing else changes', () => {
    const once = withSection(page, 'step', text);
    expect(withSection(once, 'step', text)).to.equal(once);
    expect(once).to.contain(`<!-- bench step -->\n${text}\n<!-- end -->`);
    const without = (whole: string) => whole.replace(/<!-- bench step -->[\s\S]*?<!-- end -->/, '');
    expect(without(once)).to.equal(without(page));
  });

  it('name the machine and what was not measured', () => {
    expect(text).to.equal(
      'a machine.\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n\nNot measured here: c: no c here.',
    );
  });

  it('are refused in a line before anything is measured', async () => {
    const refused = (options: object) =>
      tables({ write: 'docs/benchmarks.md', threads: 1, ...options }).then(
        () => 'measured',
        (error) => (error instanceof UserError ? error.message : error),
      );
    expect(await refused({ only: 'gem' })).to.match(/^--only gem: sections are runtimes, gemm/);
    expect(await refused({ nodes: '/no/node' })).to.match(/^\/no\/node is no Node that can be run/);
    expect(await refused({ write: 'README.md' })).to.match(/the page has no place for runtimes/);
  });
});
