import { expect } from 'chai';
import { setBackends } from '../../lib/backend/dispatch.ts';
import type { GpuBackend, Traffic } from '../../lib/backend/gpu/index.ts';
import { DeviceLostError, ones, type Tensor, tensor, yieldToRuntime } from '../../lib/index.ts';
import { openOwn, TESTED_MODES, useMode } from './modes.ts';
import { type LoRATraining, loraTraining, MINI, TINY } from './training.ts';

/** LoRA training with every operation on the device: the losses, what crosses the bus, and what piles up. */

const LIMIT_BYTES = 100_000;
const LIMIT_WAITS = 2;

function lossesOnCpu(steps: number, train: () => LoRATraining): number[] {
  setBackends([]);
  const { step } = train();
  return Array.from({ length: steps }, step);
}

/** What one step moves. */
function trafficOf(gpu: GpuBackend, body: () => void): Traffic {
  const before = { ...gpu.traffic };
  body();
  const { bytesUp, bytesDown, waits, launches } = gpu.traffic;
  return {
    bytesUp: bytesUp - before.bytesUp,
    bytesDown: bytesDown - before.bytesDown,
    waits: waits - before.waits,
    launches: launches - before.launches,
  };
}

function expectResident({ bytesUp, bytesDown, waits, launches }: Traffic, what: string): void {
  expect(launches, `${what}: launches`).to.be.greaterThan(100);
  expect(bytesUp + bytesDown, `${what}: bytes`).to.be.lessThan(LIMIT_BYTES);
  expect(waits, `${what}: waits`).to.be.within(1, LIMIT_WAITS);
}

for (const mode of TESTED_MODES) {
  describe(`LoRA training on gpu ${mode}`, () => {
    after(() => setBackends([]));

    it('has the losses of the CPU over 20 steps, and only ids and losses cross', async function () {
      const train = () => loraTraining(TINY, 3, 19, 4);
      const expected = lossesOnCpu(20, train);
      const gpu = await useMode(this, mode);
      const { step } = train();
      for (const [i, loss] of expected.entries()) {
        await yieldToRuntime();
        let found = Number.NaN;
        const traffic = trafficOf(gpu, () => {
          found = step();
        });
        expect(found, `loss ${i}`).to.be.closeTo(loss, 1e-3);
        // The first step compiles, checks each kernel against the CPU and takes the weights up.
        if (i > 0) expectResident(traffic, `step ${i}`);
      }
      expect(gpu.lost).to.equal(undefined);
    });

    it('has the losses of mini on the CPU over 20 steps, and takes its frozen weights up once', async function () {
      const train = () => loraTraining(MINI, 2, 9);
      const expected = lossesOnCpu(20, train);
      const gpu = await useMode(this, mode);
      const { model, step } = train();
      const bytes = [...model.parameters()].reduce((sum, parameter) => sum + parameter.size * 4, 0);
      for (const [i, loss] of expected.entries()) {
        await yieldToRuntime();
        let found = Number.NaN;
        const traffic = trafficOf(gpu, () => {
          found = step();
        });
        expect(found, `loss ${i}`).to.be.closeTo(loss, 1e-3);
        if (i === 0) expect(traffic.bytesUp, 'first step').to.be.within(0.95 * bytes, bytes + LIMIT_BYTES);
        else expectResident(traffic, `step ${i}`);
      }
    });

    it('keeps no more arrays after 200 steps than after 20', async function () {
      const gpu = await useMode(this, mode);
      const { step } = loraTraining({ ...TINY, nLayers: 1 }, 2, 5, 2);
      for (let i = 0; i < 20; i++) {
        await yieldToRuntime();
        step();
      }
      await yieldToRuntime();
      await gpu.sweep();
      const { values, bytes } = gpu;
      let most = 0;
      for (let i = 20; i < 200; i++) {
        await yieldToRuntime();
        step();
        most = Math.max(most, gpu.values);
      }
      // A browser's collector is pressed, not called: it may take more than one sweep.
      for (let sweeps = 0; sweeps < 6 && (sweeps === 0 || gpu.values - values >= 10); sweeps++) {
        await yieldToRuntime();
        await gpu.sweep();
      }
      // One or two that nobody can reach any more may still lie on the stack; one for each step would be 180.
      expect(gpu.values - values, 'more arrays').to.be.lessThan(10);
      expect(gpu.bytes / bytes, 'bytes').to.be.lessThan(1.1);
      expect(most, 'arrays in between').to.be.lessThan(5000);
    });
  });
}

/** The numbers as they are now, on the host. */
function copiesOf(state: Record<string, Tensor>): Record<string, Tensor> {
  const copy = (t: Tensor) => tensor(t.toFlatArray() as number[], { dtype: t.dtype }).reshape(t.shape);
  return Object.fromEntries(Object.entries(state).map(([name, t]) => [name, copy(t)]));
}

/** After 2 steps and half of the third's kernels. */
const KERNELS_BEFORE_LOSS = 500;

for (const mode of TESTED_MODES) {
  describe(`a gpu ${mode} that is lost in the middle of a run`, () => {
    after(() => setBackends([]));

    for (const what of ['device', 'worker'] as const) {
      it(`says so when the ${what} is gone, and the run goes on from its checkpoint on the CPU`, async function () {
        const train = () => loraTraining(TINY, 3, 19, 4);
        const expected = lossesOnCpu(6, train);
        const gpu = await openOwn(this, mode);
        let calls = 0;
        const counted = Object.entries(gpu.kernels).map(([name, kernel]) => [
          name,
          (...args: never[]) => {
            if (++calls === KERNELS_BEFORE_LOSS) gpu.lose(what);
            return (kernel as (...args: never[]) => unknown)(...args);
          },
        ]);
        setBackends([{ name: 'gpu', kernels: Object.fromEntries(counted), close: gpu.close }]);
        const { model, optimiser, step } = train();
        let weights: Record<string, Tensor> = {};
        let moments: Record<string, Tensor> = {};
        const onlyThere: Tensor[] = [];
        let done = 0;
        expect(() => {
          for (; done < expected.length; done++) {
            weights = copiesOf(model.stateDict());
            moments = copiesOf(optimiser.stateDict());
            onlyThere.push(ones([3]).add(done)); // nobody has read it
            expect(step(), `loss ${done}`).to.be.closeTo(expected[done], 1e-4);
          }
        }).to.throw(DeviceLostError, /checkpoint/);
        expect(calls).to.be.at.least(KERNELS_BEFORE_LOSS);
        expect(() => step(), 'the next operation').to.throw(DeviceLostError);

        setBackends([]); // closes the lost device, which must not throw
        for (const sum of onlyThere) expect(() => sum.toFlatArray()).to.throw(DeviceLostError);
        const again = train();
        again.model.loadStateDict(weights);
        again.optimiser.loadStateDict(moments);
        for (let i = done; i < expected.length; i++) {
          expect(again.step(i), `loss ${i}`).to.be.closeTo(expected[i], 1e-4);
        }
      });
    }

    it('gives numbers that are only on it back to the host when it is closed', async function () {
      const gpu = await openOwn(this, mode);
      const { model, step } = loraTraining(TINY, 3, 19, 4);
      step();
      gpu.close();
      setBackends([]);
      const numbers = [...model.parameters()].flatMap((parameter) => parameter.toFlatArray() as number[]);
      expect(numbers.every(Number.isFinite)).to.equal(true);
      expect(step()).to.be.closeTo(lossesOnCpu(2, () => loraTraining(TINY, 3, 19, 4))[1], 1e-4);
    });
  });
}
