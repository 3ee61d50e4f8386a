import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import type { DecliningKernels } from '../../lib/backend/kernels.ts';
import { useBackend } from '../../lib/backend/select.ts';
import { Storage } from '../../lib/backend/storage.ts';
import { createWasmBackend } from '../../lib/backend/wasm/index.ts';
import { panelColumns, REGION_BYTES, regionOf, VARIANTS } from '../../lib/backend/wasm/protocol.ts';
import { failingKernel } from '../../lib/backend/wasm/selfTest.ts';
import { vectorsInEnvironment } from '../../lib/backend/wasm/vectors.node.ts';
import { UserError } from '../../lib/errors.ts';
import { command } from '../support/program.ts';
import { backends, wideBackends } from './wasmChecks.ts';

/** The choice between vectors of 128 and 256 bits. test/backend/packing.test.ts looks at what V8 makes of the wide ones. */

const [wide] = wideBackends;

describe('vectors of 128 and 256 bits', () => {
  after(() => useBackend('wasm'));

  it('are chosen by name, on one memory, and the answer says which', async function () {
    expect((await useBackend('wasm', { vectors: 128 })).vectors).to.equal(128);
    const before = Storage.empty('float32', 5);
    if (typeof wide === 'string') {
      const refusal = await useBackend('wasm', { vectors: 256 }).catch((error) => error);
      expect(refusal).to.be.instanceOf(UserError);
      expect(refusal.message).to.match(/^256-bit vectors cannot be had: .+$/);
      console.log(`      ${wide}`);
      return this.skip();
    }
    expect((await useBackend('wasm', { vectors: 256 })).vectors).to.equal(256);
    expect(wide.memory.holds(before.data)).to.equal(true);
    expect((await useBackend('auto')).vectors).to.equal(vectorsInEnvironment() === '128' ? 128 : 256);
  });

  it('are 128 or 256', async () => {
    const refusal = await useBackend('wasm', { vectors: 512 as 256 }).catch((error) => error);
    expect(refusal.message).to.equal('vectors must be 128 or 256 bits wide, not 512');
  });

  it('are what the environment asks for, at import too; what cannot be had is one line', async () => {
    const program = (vectors: string, body: string) => {
      const code = `import { ones, useBackend } from '${new URL('../../lib/index.ts', import.meta.url)}';
        try { ${body} } catch (error) { console.log(error.name + ': ' + error.message); }`;
      const args = ['--import', 'tsx', '--input-type=module', '--eval', code];
      return command(process.execPath, args, { env: { LLMS_VECTORS: vectors } });
    };
    const wrong = "LLMS_VECTORS is '64': expected 128 or 256";
    const [atImport, asked, narrow] = await Promise.all([
      program('64', 'ones([3]).add(ones([3]))'),
      program('64', "await useBackend('wasm')"),
      program('128', "console.log((await useBackend('auto')).vectors)"),
    ]);
    expect(atImport.stdout.trim()).to.equal(`UserError: ${wrong}`);
    expect(asked.stdout.trim()).to.equal(`UserError: ${wrong}`);
    expect(narrow.stdout.trim()).to.equal('128');
  });
});

describe('the self-test of the kernels', () => {
  it('passes on every module, and tries every kernel', () => {
    for (const variant of VARIANTS.slice(1))
      expect(failingKernel(createWasmBackend({ threads: 1, variant }).kernels), variant).to.equal(undefined);
  });

  for (const name of Object.keys(backends[0].kernels) as (keyof DecliningKernels)[]) {
    it(`notices a wrong number of ${name}`, () => {
      const kernel = backends[0].kernels[name] as (...args: { storage: Storage }[]) => unknown;
      const wrong = (...args: { storage: Storage }[]) => {
        const answer = kernel(...args);
        const result =
          answer === true
            ? args[0].storage
            : answer instanceof Storage
              ? answer
              : Object.values(answer as object)[0];
        result.writable[result.length - 1] += 1;
        return answer;
      };
      expect(failingKernel({ ...backends[0].kernels, [name]: wrong })).to.equal(name);
    });
  }
});

describe('the modules of the kernels', () => {
  it('have regions of their own, which hold their constants', () => {
    expect(new Set(VARIANTS.map(regionOf)).size).to.equal(VARIANTS.length);
    for (const variant of VARIANTS) {
      const bytes = readFileSync(new URL(`../../lib/backend/wasm/kernels.${variant}.wasm`, import.meta.url));
      if (!WebAssembly.validate(bytes)) continue; // this runtime has no relaxed SIMD, not even behind a flag
      const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536, shared: true });
      const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
      const end = (exports.constantsEnd as () => number)();
      expect(end, variant).to.be.within(regionOf(variant), regionOf(variant) + REGION_BYTES);
      expect(32 % panelColumns(variant), 'a block is whole panels').to.equal(0);
    }
  });
});
