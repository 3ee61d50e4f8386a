import { useBackend } from '../../../lib/index.ts';
import { loraTraining, TINY } from '../training.ts';

/** Trains a little on the GPU and ends with everything still there, as any script does. */
await useBackend('gpu', { gpuMode: process.argv[2] });
const { step } = loraTraining(TINY, 2, 9);
for (let i = 0; i < 3; i++) step();
console.log('done');
