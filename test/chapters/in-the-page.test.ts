import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundle } from '../../docs/site/bundle.ts';

describe('the chapters in the page', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bundle-'));
  after(() => rmSync(folder, { recursive: true }));

  it('find all that they import from Node in the little Node of docs/site/node', async () => {
    await bundle(folder); // fails where a name is missing there
    if (!existsSync(join(folder, 'code', 'program.js'))) throw new Error('no program was bundled');
  });
});
