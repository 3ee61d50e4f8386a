import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { bundle } from '../../docs/site/bundle.ts';

describe('the chapters in the page', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bundle-'));
  after(() => rmSync(folder, { recursive: true }));

  it('find all that they import from Node in the little Node of docs/site/node', async () => {
    await bundle(folder); // fails where a name is missing there
    expect(existsSync(join(folder, 'code', 'program.js'))).to.equal(true);
  });
});
