import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../../chapters/chapter04/run.ts';
import { testFigures } from '../../support/figure-tests.ts';

testFigures('chapter04', async (notebook) => {
  const out = mkdtempSync(join(tmpdir(), 'chapter04-'));
  await run(notebook, { out });
  rmSync(out, { recursive: true });
});
