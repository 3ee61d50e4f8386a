import { expect } from 'chai';
import { setBackends } from '../../lib/backend/dispatch.ts';
import type { GpuBackend, Traffic } from '../../lib/backend/gpu/index.ts';
import { endOfJob, openOwn, TESTED_MODES, useMode } from './modes.ts';
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
        await endOfJob();
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
        await endOfJob();
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
        await endOfJob();
        step();
      }
      await endOfJob();
      gpu.sweep();
      const { values, bytes } = gpu;
      let most = 0;
      for (let i = 20; i < 200; i++) {
        await endOfJob();
        step();
        most = Math.max(most, gpu.values);
      }
      await endOfJob();
      gpu.sweep();
      // One or two that nobody can reach any more may still lie on the stack; one for each step would be 180.
      expect(gpu.values - values, 'more arrays').to.be.lessThan(10);
      expect(gpu.bytes / bytes, 'bytes').to.be.lessThan(1.1);
      expect(most, 'arrays in between').to.be.lessThan(5000);
    });
  });
}

/** After 2 steps and half of the third's kernels. */
const KERNELS_BEFORE_LOSS = 500;

for (const mode of TESTED_MODES) {
  describe(`a gpu ${mode} that is lost in the middle of a run`, () => {
    after(() => setBackends([]));

    for (const what of ['device', 'worker'] as const) {
      it(`ends right on the CPU when the ${what} is gone`, async function () {
        const train = () => loraTraining(TINY, 3, 19, 4);
        const expected = lossesOnCpu(6, train);
        const warnings: string[] = [];
        const gpu = await openOwn(this, mode, { warn: (line) => warnings.push(line) });
        let calls = 0;
        const counted = Object.entries(gpu.kernels).map(([name, kernel]) => [
          name,
          (...args: never[]) => {
            if (++calls === KERNELS_BEFORE_LOSS) gpu.lose(what);
            return (kernel as (...args: never[]) => unknown)(...args);
          },
        ]);
        setBackends([{ name: 'gpu', kernels: Object.fromEntries(counted) }]);
        const { step } = train();
        for (const [i, loss] of expected.entries()) expect(step(), `loss ${i}`).to.be.closeTo(loss, 1e-4);
        expect(calls).to.be.greaterThan(KERNELS_BEFORE_LOSS);
        expect(warnings).to.have.length(1);
        expect(warnings[0]).to.match(/is not used any more.*The CPU goes on/);
      });
    }

    it('ends right on the CPU while a checkpoint is being brought home', async function () {
      const train = () => loraTraining(TINY, 3, 19);
      const gpu = await openOwn(this, mode, { warn: () => {} });
      const { step } = train();
      const found = [step()]; // the first checks each kernel against the CPU
      let bytesDown = 0;
      while (bytesDown < 1000) {
        await endOfJob();
        expect(found.length, 'steps without a checkpoint').to.be.lessThan(100);
        ({ bytesDown } = trafficOf(gpu, () => found.push(step())));
      }
      // Its first part has come, others have not: parameters are computed again from numbers of two sorts.
      expect(bytesDown).to.be.lessThan(LIMIT_BYTES);
      gpu.lose('device');
      for (let i = 0; i < 4; i++) found.push(step());
      expect(gpu.lost).to.be.a('string');
      for (const [i, loss] of lossesOnCpu(found.length, train).entries()) {
        expect(found[i], `loss ${i}`).to.be.closeTo(loss, 1e-3);
      }
    });

    it('gives numbers that are only on it back to the host when it is closed', async function () {
      const gpu = await openOwn(this, mode);
      const { model, step } = loraTraining(TINY, 3, 19, 4);
      step();
      gpu.close();
      const numbers = [...model.parameters()].flatMap((parameter) => parameter.toFlatArray() as number[]);
      expect(numbers.every(Number.isFinite)).to.equal(true);
      expect(step()).to.be.closeTo(lossesOnCpu(2, () => loraTraining(TINY, 3, 19, 4))[1], 1e-4);
    });
  });
}
