import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../../chapters/appendixA/run.ts';
import { testFigures } from '../../support/figure-tests.ts';

testFigures('appendixA', async (notebook) => {
  const out = mkdtempSync(join(tmpdir(), 'appendixA-'));
  try {
    await run(notebook, { out });
  } finally {
    rmSync(out, { recursive: true });
  }
});
