import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { showAdditions } from '../../../chapters/appendixD/run.ts';
import type { Notebook } from '../../../chapters/common/notebook.ts';
import { dataPath, testFigures } from '../../support/figure-tests.ts';

describe('appendix D: figures', function () {
  this.timeout(600_000); // a backward pass of the 124M model
  const out = mkdtempSync(join(tmpdir(), 'appendixD-'));
  after(() => rmSync(out, { recursive: true }));

  const text = dataPath('the-verdict');
  const printed = new Map<number, string>();

  /** All but the training, which is for `npm run appendixD -- --slow`. Every figure needs the story. */
  async function additions(notebook: Notebook): Promise<void> {
    if (!text) return;
    await showAdditions(notebook, { text, epochs: 15, seed: 123, out });
    for (const { cell, printed: ours } of notebook.cells) printed.set(cell, ours);
  }

  testFigures('appendixD', additions, ['slow']);

  // The notebook's figures are from Apple's GPU by now. These are from its editions that ran on a CPU.
  describe('on a CPU', () => {
    it('prints the highest gradients of the editions that ran on a CPU', function () {
      if (!text) this.skip(); // the story is not ours to ship: set LLMS_THE_VERDICT to its path
      const highest = [26, 28].map((cell) => Number(/^tensor\((.+)\)$/.exec(printed.get(cell) ?? '')?.[1]));
      expect(highest[0]).to.be.closeTo(0.0411, 1.01e-4);
      expect(highest[1]).to.be.closeTo(0.0185, 1.01e-4);
    });
  });
});
