import { expect } from 'chai';
import { setAllocator } from '../../lib/backend/storage.ts';
import { createWasmBackend } from '../../lib/backend/wasm/index.ts';
import { manualSeed, randn, type Tensor, tidy, UserError, useBackend } from '../../lib/index.ts';
import { tensorOf, valuesOf } from '../ops/inputs.ts';
import type { Operation } from '../ops/operation.ts';
import { OPERATIONS } from '../ops/table.ts';
import { spoilingMemory } from './spoilingMemory.ts';

/** What was computed on the way is given back at once: never what is returned, and never what was there before. */

/** Each case's result, and the inputs afterwards. */
function resultsOf({ name, apply, cases }: Operation, run: (body: () => Tensor) => Tensor) {
  return cases.map((inputs, i) => {
    manualSeed(i);
    const tensors = inputs.map((input, j) => tensorOf(input, valuesOf(input, `${name} ${i} ${j}`)));
    const result = run(() => apply(...tensors));
    return [result, ...tensors].map((x) => x.toFlatArray());
  });
}

describe('tidy', () => {
  before(() => useBackend('js'));
  afterEach(() => setAllocator(null));
  after(() => useBackend('js'));

  for (const operation of OPERATIONS) {
    it(`leaves the result and the inputs of ${operation.name}`, () => {
      const expected = resultsOf(operation, (body) => body());
      setAllocator(spoilingMemory);
      expect(resultsOf(operation, tidy)).to.deep.equal(expected);
    });
  }

  it('leaves each tensor of a list, and what was there before', () => {
    const x = randn(3);
    const before = x.toArray();
    const [double, square] = tidy(() => [x.mul(2), x.mul(x)]);
    expect(double.div(2).toArray()).to.deep.equal(before);
    expect(square.size).to.equal(3);
    expect(x.toArray()).to.deep.equal(before);
  });

  it('records no graph, and gives what is no tensor', () => {
    const w = randn([2], { requiresGrad: true });
    expect(tidy(() => w.mul(2)).requiresGrad).to.equal(false);
    expect(tidy(() => 'text')).to.equal('text');
  });

  it('does not let a tensor that was put aside be read', () => {
    let aside: Tensor | undefined;
    tidy(() => {
      aside = randn(3).exp();
    });
    expect(() => aside!.toArray()).to.throw(UserError, 'given back');
  });

  it('gives the result of one inside another back after the outer one', () => {
    let inner: Tensor | undefined;
    tidy(() => {
      inner = tidy(() => randn(3).exp());
      expect(inner.size).to.equal(inner.toFlatArray().length);
      return inner.mul(2);
    });
    expect(() => inner!.toArray()).to.throw(UserError, 'given back');
  });

  it('gives back after an error too, and refuses what is no function', () => {
    let aside: Tensor | undefined;
    const fails = () => {
      aside = randn(3).exp();
      throw new UserError('no');
    };
    expect(() => tidy(fails)).to.throw('no');
    expect(() => aside!.toArray()).to.throw(UserError, 'given back');
    expect(() => tidy(3 as never)).to.throw(UserError, 'tidy: a function is expected, not 3');
  });

  it('leaves nothing in the memory of the engine but the result', async () => {
    await useBackend('wasm');
    const { memory } = createWasmBackend();
    const weights = Array.from({ length: 8 }, () => randn([64, 64]));
    const through = () => tidy(() => weights.reduce((x, w) => x.matmul(w).tanh(), randn([512, 64])));
    through(); // the engine takes its workspace
    const before = memory.heap.bytesInUse;
    const results = Array.from({ length: 4 }, through);
    const one = 4 * 512 * 64;
    // randn is no kernel: its numbers wait for the collector.
    expect(memory.heap.bytesInUse - before).to.be.within(8 * one, 9 * one);
    expect(results).to.have.length(4);
  });

  it('gives plain numbers back that were operands', async () => {
    await useBackend('wasm');
    const { memory } = createWasmBackend();
    const x = randn([64]);
    const scaled = () => void tidy(() => void x.mul(2).add(0.5).div(3));
    scaled();
    const before = memory.heap.bytesInUse;
    for (let i = 0; i < 100; i++) scaled();
    expect(memory.heap.bytesInUse).to.equal(before);
  });
});
