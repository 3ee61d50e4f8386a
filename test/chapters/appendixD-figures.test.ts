import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { showAdditions } from '../../chapters/appendixD/run.ts';
import { Notebook } from '../../chapters/common/notebook.ts';
import { dataPath, testFigures } from '../support/figure-tests.ts';

const out = mkdtempSync(join(tmpdir(), 'appendixD-'));
after(() => rmSync(out, { recursive: true }));

const text = dataPath('the-verdict');

/** All but the training, which is for `npm run appendixD -- --slow`. Every figure needs the story. */
async function additions(notebook: Notebook): Promise<void> {
  if (text) await showAdditions(notebook, { text, epochs: 15, seed: 123, out });
}

testFigures('appendixD', additions, ['slow']);

// The notebook's figures are from Apple's GPU by now. These are from its editions that ran on a CPU.
describe("the book's figures: appendix D on a CPU", () => {
  it('highest gradient before and after clipping', async function () {
    if (!text) return this.skip();
    const notebook = new Notebook('appendixD', () => {});
    await additions(notebook);
    const printed = new Map(notebook.cells.map((cell) => [cell.cell, cell.printed]));
    expect(printed.get(26)).to.equal('tensor(0.0411)');
    expect(printed.get(28)).to.equal('tensor(0.0185)');
  });
});
