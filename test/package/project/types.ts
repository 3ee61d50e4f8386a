import { io, nn, type Tensor, tensor, useBackend } from 'llms-from-scratch-ts';
import { classify, generate, type LoadedModel, loadAdapter, loadModel } from 'llms-from-scratch-ts/models';

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

const loaded: LoadedModel = await loadModel('folder', { quantised: true });
export const ids: number[] = loaded.tokeniser.encode('text');
export const label: string = classify(loaded, ['text'], await loadAdapter(loaded, 'adapter'))[0].label;
export const more: string = generate(loaded, [{ role: 'user', content: 'hi' }], { maxNewTokens: 3 });
// @ts-expect-error: a number is no model
await loadModel(3);
