import { expect } from 'chai';
import { setBackends } from '../../lib/backend/dispatch.ts';
import type { SpawnWorker } from '../../lib/backend/gpu/device/bridge.ts';
import { createGpuBackend } from '../../lib/backend/gpu/index.ts';
import type { Command } from '../../lib/backend/gpu/protocol.ts';
import { DeviceLostError } from '../../lib/index.ts';
import { activate } from './modes.ts';
import { loraTraining, TINY } from './training.ts';

/** A device that computes something else than it was asked for is noticed, and not used any more. */

/** Starts a worker for which the kernels of such a name return zeros, as users of gpu.js report it. */
const withZerosFor =
  (name: string): SpawnWorker =>
  async (mode, control) => {
    const { spawnWorker } = await import('../../lib/backend/gpu/node/spawn.ts');
    const worker = await spawnWorker(mode, control);
    if ('unavailable' in worker) return worker;
    const { port } = worker;
    const zeros = (command: Command): Command => {
      if (command.do !== 'define' || !command.definition.name.startsWith(name)) return command;
      const source = command.definition.source.replace(/return [^;}]*/g, 'return 0');
      return { ...command, definition: { ...command.definition, source, width: 1 } };
    };
    return {
      ...worker,
      port: { ...port, post: (commands, transfer) => port.post(commands.map(zeros), transfer) },
    };
  };

describe('trust in a gpu', () => {
  after(() => setBackends([]));

  it('is not given to a device that fails the products at the start', async () => {
    const backend = await createGpuBackend({ mode: 'cpu', spawn: withZerosFor('matmul NT') });
    expect(backend)
      .to.have.property('unavailable')
      .that.matches(/a product \(NT, plain\) gave 0 at place 0/);
  });

  for (const [kernel, named] of [
    ['gelu', 'unary(gelu'],
    ['rowRstd', 'layerNorm('],
    ['causalSumExp', 'causalSoftmax('],
    ['movingSquare', 'adamW('],
  ]) {
    it(`ends when ${kernel} gives zeros`, async () => {
      const gpu = await createGpuBackend({ mode: 'cpu', insists: true, spawn: withZerosFor(kernel) });
      if ('unavailable' in gpu) throw new Error(gpu.unavailable);
      activate(gpu);
      const { step } = loraTraining(TINY, 3, 19, 4);
      expect(() => step()).to.throw(DeviceLostError, named);
      expect(gpu.lost).to.include(named);
    });
  }

  it('refuses a mode that does not exist, naming those that do', async () => {
    let message = '';
    await createGpuBackend({ mode: 'cuda' as 'cpu' }).catch((error: Error) => {
      message = error.message;
    });
    expect(message).to.match(/'cuda'.*webgpu, headlessgl, webgl2, webasm, cpu/);
  });
});
