import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { program } from '../../support/program.ts';

describe('npm run llama', () => {
  const folder = mkdtempSync(join(tmpdir(), 'llama-'));
  after(() => rmSync(folder, { recursive: true }));

  it('refuses a file that is no model before it shows anything', async () => {
    const path = join(folder, 'not-a-model.gguf');
    writeFileSync(path, 'Every effort moves you');
    const { status, stdout, stderr } = await program('chapters/llama/run.ts', [
      '--backend',
      'js',
      '--weights',
      path,
    ]);
    expect(stderr).to.equal(`error: ${path} is not a GGUF file: give another one\n`);
    expect(stdout).to.not.include('RMS norm');
    expect(status).to.equal(1);
  });
});
