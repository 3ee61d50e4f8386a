import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { createGpuBackend } from '../../lib/backend/gpu/index.ts';
import { TESTED_MODES } from './modes.ts';

/** Whole programs that use the GPU: they end, and end well. */

/** Where Mesa's drivers are installed, they complain on stderr of a session that has no such folder. */
const env = { XDG_RUNTIME_DIR: tmpdir(), ...process.env };

const run = (program: string, mode: string) =>
  promisify(execFile)(
    process.execPath,
    ['--import', 'tsx', fileURLToPath(new URL(`programs/${program}.ts`, import.meta.url)), mode],
    { timeout: 120_000, env },
  );

for (const mode of TESTED_MODES) {
  describe(`a program on gpu ${mode}`, () => {
    before(async function () {
      // In this process headless-gl may be taken: the programs have one of their own.
      const backend = await createGpuBackend({ mode });
      if (!('unavailable' in backend)) backend.close();
      else if (!backend.unavailable.includes('once in a process')) this.skip();
    });

    it('ends by itself, with nothing closed', async () => {
      const { stdout, stderr } = await run('leave', mode);
      expect(stdout).to.equal('done\n');
      expect(stderr).to.equal('');
    });

    it('sees a killed worker as an error with a name, and goes on with the CPU', async () => {
      const { stdout, stderr } = await run('lose', mode);
      expect(stdout).to.equal('DeviceLostError\nlaunched true, done\n');
      expect(stderr).to.equal('');
    });
  });
}
