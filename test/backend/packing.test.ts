import { spawnSync } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { wideBackends } from './wasmChecks.ts';

/**
 * What V8 joins to vectors of 256 bits, as its own trace tells in a process of its own. A version that stops to join a kernel
 * makes that kernel slow, not wrong: only this test notices.
 */

/** For each function of lib/backend/wasm/assembly/ that should be joined, the operations that become half as many. */
const JOINED: Readonly<Record<string, number>> = {
  'gemm/microKernel': 106,
  'pack/packColumnsB': 8,
  'blocks/decodeGroups': 24,
  'gemv/gemvRowsTask': 24,
  // neg, abs, sqrt, rsqrt, reciprocal, square and relu are so short that they became part of it
  'elementwise/unaryRow': 50,
  'elementwise/expRow': 57,
  'elementwise/logRow': 126,
  'elementwise/tanhRow': 107,
  'elementwise/sigmoidRow': 67,
  'elementwise/siluRow': 69,
  'elementwise/geluRow': 79,
  'elementwise/addRow': 22,
  'elementwise/subRow': 22,
  'elementwise/mulRow': 22,
  'elementwise/divRow': 22,
  'elementwise/maximumRow': 22,
  'elementwise/minimumRow': 22,
  'elementwise/geluBackwardRow': 261,
  'elementwise/siluBackwardRow': 206,
  'copy/copyRow': 4,
  'copy/addRow': 8,
  'softmax/softmaxTask': 7,
  'softmax/exponentialsOfPart': 63,
  'softmax/softmaxBackwardTask': 14,
  'softmax/logSoftmaxTask': 10,
  'softmax/logSoftmaxBackwardTask': 64,
  'softmax/crossEntropyBackwardTask': 66,
  'layerNorm/layerNormTask': 19,
  'layerNorm/layerNormBackwardTask': 26,
  'rmsNorm/rmsNormTask': 11,
  'rmsNorm/rmsNormBackwardTask': 20,
  'rotary/rotaryTask': 29,
  'training/adamWTask': 46,
};

/** Compiles the wide kernels, then others, whose functions have no names, by the same compiler. */
const PROGRAM = `
  import v8 from 'node:v8';
  import { loadKernels } from '${new URL('../../lib/backend/wasm/load.node.ts', import.meta.url)}';
  loadKernels('wide');
  for (const flag of ['--no-liftoff', '--no-wasm-inlining', '--no-wasm-lazy-compilation']) v8.setFlagsFromString(flag);
  loadKernels('relaxed');
`;

describe('V8 joins the vectors of the wide kernels', () => {
  let trace = '';

  before(function () {
    this.timeout(60_000);
    const [wide] = wideBackends;
    if (typeof wide === 'string') {
      console.log(`      skipped: ${wide}`);
      return this.skip();
    }
    // One thread compiles, so that the lines of two functions do not mix; into a file, since V8 loses what a pipe does not take.
    const flags = ['--trace-wasm-revectorize', '--wasm-num-compilation-tasks=1'];
    const args = [...flags, '--import', 'tsx', '--input-type=module', '--eval', PROGRAM];
    const folder = mkdtempSync(join(tmpdir(), 'packing-'));
    const file = join(folder, 'trace');
    const { status, stderr } = spawnSync(process.execPath, args, {
      stdio: ['ignore', openSync(file, 'w'), 'pipe'],
      encoding: 'utf8',
    });
    trace = readFileSync(file, 'utf8');
    rmSync(folder, { recursive: true });
    expect([status, stderr]).to.eql([0, '']);
  });

  it('in every kernel that is written for it', () => {
    const found: Record<string, number> = {};
    for (const part of trace.split('Begin revec function assembly/').slice(1)) {
      const nodes = /Decided? to vectorize, (\d+) revectorizable nodes/.exec(part);
      if (nodes) found[part.slice(0, part.indexOf('\n'))] = Number(nodes[1]);
    }
    for (const [name, nodes] of Object.entries(JOINED)) expect(found[name] ?? 0, name).to.be.at.least(nodes);
  });

  it('and in nothing that is compiled after them', () => {
    const functions = [...trace.matchAll(/^Begin revec function (\S+)/gm)].map(([, name]) => name);
    expect(functions.filter((name) => !name.startsWith('assembly/'))).to.eql([]);
  });
});
