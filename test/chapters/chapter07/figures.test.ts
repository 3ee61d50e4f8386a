import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { InstructionRunOptions } from '../../../chapters/chapter07/options.ts';
import { run } from '../../../chapters/chapter07/run.ts';
import { dataPath, testFigures } from '../../support/figure-tests.ts';

const out = mkdtempSync(join(tmpdir(), 'chapter07-'));
after(() => rmSync(out, { recursive: true }));

const settings: InstructionRunOptions = {
  ...{
    data: dataPath('instruction-data') ?? 'own',
    model: 'mini',
    weights: undefined,
    randomWeights: true,
    out,
  },
  ...{ method: 'full', rank: 16, alpha: 16, lr: undefined, epochs: 0, batchSize: 8, seed: 123 },
  ...{ slow: false, evalFreq: undefined, maxNewTokens: 1, answers: 3 },
};

// The book has GPT-2 medium here: what depends on its weights is not compared.
testFigures('chapter07', (notebook) => run(notebook, settings), ['weights']);
