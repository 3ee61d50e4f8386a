import { activeBackends } from '../../../lib/backend/dispatch.ts';
import type { GpuBackend } from '../../../lib/backend/gpu/index.ts';
import { useBackend } from '../../../lib/index.ts';
import { loraTraining, TINY } from '../training.ts';

/** Trains on the GPU, whose worker ends on the way. */
await useBackend('gpu', { gpuMode: process.argv[2] });
const gpu = activeBackends()[0] as GpuBackend;
gpu.smallestProduct = 0;
const { step } = loraTraining(TINY, 2, 9);
for (let i = 0; i < 6; i++) {
  if (i === 3) gpu.lose('worker');
  step();
}
console.log(`launched ${gpu.traffic.launches > 0}, done`);
