import { activeGpu } from '../../../lib/backend/gpu/index.ts';
import { DeviceLostError, useBackend } from '../../../lib/index.ts';
import { loraTraining, TINY } from '../training.ts';

/** Trains on the GPU, whose worker ends on the way, and begins again on the CPU. */
await useBackend('gpu', { gpuMode: process.argv[2] });
const gpu = activeGpu()!;
gpu.smallestProduct = 0;

function train(onStep: (i: number) => void): void {
  const { step } = loraTraining(TINY, 2, 9);
  for (let i = 0; i < 6; i++) {
    onStep(i);
    step();
  }
}

try {
  train((i) => i === 3 && gpu.lose('worker'));
} catch (error) {
  if (!(error instanceof DeviceLostError)) throw error;
  console.log(error.name);
  await useBackend('wasm');
  train(() => {});
}
console.log(`launched ${gpu.traffic.launches > 0}, done`);
