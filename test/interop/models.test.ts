import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { loadModel } from '../../chapters/models/index.ts';
import { noGrad, tensor, UserError, useBackend } from '../../lib/index.ts';

/** Folders that transformers writes at this moment: LLMS_PYTHON names the Python that has it; without it nothing is run. */
const PYTHON = process.env.LLMS_PYTHON ?? 'python3';
const SCRIPT = fileURLToPath(new URL('models.py', import.meta.url));
const READ = /^(llama(-tied|-wide|-slowed|-linear)?|gpt2(-untied)?|qwen3(-tied)?|gemma3_text)$/;

describe('models of many kinds, written by transformers', function () {
  this.timeout(600_000);
  const root = mkdtempSync(join(tmpdir(), 'kinds-'));
  after(() => rmSync(root, { recursive: true }));

  it("have transformers' logits, or are refused in one line; never others", async function () {
    if (spawnSync(PYTHON, ['-c', 'import transformers']).status !== 0) {
      console.log('    skipped: no Python with transformers (LLMS_PYTHON names one)');
      return this.skip();
    }
    const { status, stderr } = spawnSync(PYTHON, [SCRIPT, root], { encoding: 'utf8' });
    expect(status, stderr).to.equal(0);
    await useBackend('js');
    for (const name of readdirSync(root)) {
      const { ids, logits } = JSON.parse(readFileSync(join(root, name, 'expected.json'), 'utf8'));
      try {
        const { model } = await loadModel(join(root, name));
        const found = noGrad(() => model.forward(tensor(ids, { dtype: 'int32' })));
        expect(found.sub(tensor(logits)).abs().amax().item(), name).to.be.below(2e-3);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        expect(error.message, name).to.match(/^[^\n]+$/);
        expect(name, error.message).to.not.match(READ);
      }
    }
  });
});
