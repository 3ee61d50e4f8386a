import { expect } from 'chai';
import { setAllocator } from '../../lib/backend/storage.ts';
import { createWasmBackend } from '../../lib/backend/wasm/index.ts';
import { manualSeed, randn, tensor, UserError, useBackend } from '../../lib/index.ts';
import { loraTraining, TINY } from '../gpu/training.ts';
import { tensorOf, upstream, valuesOf } from '../ops/inputs.ts';
import type { Operation } from '../ops/operation.ts';
import { OPERATIONS } from '../ops/table.ts';
import { spoilingMemory } from './spoilingMemory.ts';

/** Backward gives the memory of what it made back before the collector would: never too early, and nearly all of it. */

/** The gradients of Σ w · (output + output²): each input is used along two ways. */
function gradients(operation: Operation): number[][] {
  return operation.cases.flatMap((inputs, i) => {
    manualSeed(i);
    const leaves = inputs.map((input, j) =>
      tensorOf(input, valuesOf(input, `${operation.name} ${i} ${j}`)).requiresGrad_(
        input.dtype === 'float32',
      ),
    );
    const out = operation.apply(...leaves.map((x) => (x.requiresGrad ? x.add(0) : x)));
    const root = out.add(out.mul(out));
    root.backward(tensor(upstream(root.size)).reshape(root.shape));
    return leaves.map((x) => (x.grad?.toFlatArray() ?? []) as number[]);
  });
}

describe('the memory of backward', () => {
  before(() => useBackend('js'));
  afterEach(() => setAllocator(null));
  after(() => useBackend('js'));

  for (const operation of OPERATIONS.filter(({ gradient }) => gradient)) {
    it(`of ${operation.name} is given back when nobody reads it any more`, () => {
      const expected = gradients(operation);
      setAllocator(spoilingMemory);
      expect(gradients(operation)).to.deep.equal(expected);
    });
  }

  it('is given back without harm to the losses of a training, and to gradients that add up', () => {
    const losses = () => {
      const { model, step } = loraTraining(TINY, 3, 19, 4);
      const found = [step(), step()];
      const x = randn([3, 4], { requiresGrad: true });
      for (let i = 0; i < 2; i++) x.mul(x).sum().backward();
      return [...found, ...model.parameters().map(({ grad }) => grad?.toFlatArray()), x.grad!.toFlatArray()];
    };
    const expected = losses();
    setAllocator(spoilingMemory);
    expect(losses()).to.deep.equal(expected);
  });

  it('leaves only the gradients of the leaves', async () => {
    await useBackend('wasm');
    const { memory } = createWasmBackend();
    const grown = () => {
      const weights = Array.from({ length: 8 }, () => randn([64, 64], { requiresGrad: true }));
      let x = randn([512, 64]);
      for (const w of weights) x = x.matmul(w).tanh();
      const loss = x.sum();
      const before = memory.heap.bytesInUse;
      loss.backward();
      return memory.heap.bytesInUse - before;
    };
    grown(); // the engine takes its workspace
    const ofLeaves = 8 * 4 * 64 * 64;
    expect(grown()).to.be.within(ofLeaves, 1.1 * ofLeaves); // all gradients in between are 16 times as much
  });

  it('is not read again without a word', () => {
    const x = randn([3], { requiresGrad: true });
    const y = x.exp();
    const { node } = y;
    const kept: { toFlatArray(): unknown }[] = [];
    const backward = node!.backward!;
    node!.backward = (g, ...saved) => {
      kept.push(g);
      return backward(g, ...saved);
    };
    y.mul(2).sum().backward();
    expect(() => kept[0].toFlatArray()).to.throw(UserError, 'given back');
  });
});
