import { io, nn, type Tensor, tensor, useBackend } from 'llms-from-scratch-ts';

const x: Tensor = tensor([
  [1, 2],
  [3, 4],
]);
const y: Tensor = new nn.Linear(2, 2).forward(x).softmax(-1);
export const shape: readonly number[] = y.shape;
export const save: typeof io.saveAdapter = io.saveAdapter;
await useBackend('wasm', { threads: 1 });
// @ts-expect-error: there is no such engine
await useBackend('webgpu');
