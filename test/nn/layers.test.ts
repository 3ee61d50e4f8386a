import { expect } from 'chai';
import { F, manualSeed, nn, rand, type Tensor, tensor, useBackend, zeros } from '../../lib/index.ts';
import { expectClose, expectTensor } from '../support/close.ts';
import {
  decodeTensor,
  type EncodedTensor,
  floatsFromHex,
  hexOfFloats,
  loadFixture,
} from '../support/fixtures.ts';

const fixture = loadFixture('nn');

/** PyTorch's vectorised loops for normal numbers are up to 2e-6 off: see fixtures/random_draws.py. */
const NORMAL = 3e-6;

const modules: [string, () => nn.Module, number?][] = [
  ['linear', () => new nn.Linear(5, 3)],
  ['linearWithoutBias', () => new nn.Linear(4, 6, { bias: false })],
  ['embedding', () => new nn.Embedding(7, 4), NORMAL],
  ['smallEmbedding', () => new nn.Embedding(3, 2), NORMAL],
  ['layerNorm', () => new nn.LayerNorm(4)],
  [
    'sequential',
    () =>
      new nn.Sequential(
        new nn.Linear(3, 5),
        new nn.ReLU(),
        new nn.Sequential(new nn.Linear(5, 4), new nn.Linear(4, 2)),
      ),
  ],
];

describe('layers against PyTorch, from the same seed', () => {
  before(() => useBackend('js'));

  for (const [name, make, tolerance = 0] of modules) {
    it(name, () => {
      const { seed, state, x, y, after } = fixture[name];
      manualSeed(seed);
      const module = make();
      expect(hexOfFloats(rand(1).toFlatArray() as number[]), 'the next number').to.equal(after);
      const own = module.stateDict();
      expect(Object.keys(own)).to.deep.equal(Object.keys(state));
      for (const [key, value] of Object.entries(state)) {
        expectTensor(own[key], decodeTensor(value as EncodedTensor), tolerance, key);
      }
      expectTensor(module.forward(decodeTensor(x)), decodeTensor(y), 1e-6 + tolerance, 'forward');
    });
  }

  for (const { shape, a, values } of fixture.kaiming) {
    it(`kaimingUniform of [${shape}], a = ${a}`, () => {
      manualSeed(123);
      const target = zeros(shape as number[]);
      expect(nn.init.kaimingUniform(target, a)).to.equal(target);
      expect(hexOfFloats(target.toFlatArray() as number[])).to.equal(values);
    });
  }

  it('kaimingUniform refuses a vector, which has no fan-in', () => {
    expect(() => nn.init.kaimingUniform(zeros(3))).to.throw('at least two axes are expected, not 1');
  });

  for (const { shape, rate, first, second, gradient } of fixture.dropout) {
    it(`Dropout(${rate}) of [${shape}], twice, and its gradient`, () => {
      manualSeed(123);
      const size = (shape as number[]).reduce((a, b) => a * b, 1);
      const x = tensor(Float32Array.from({ length: size }, (_, i) => i + 1))
        .reshape(shape as number[])
        .requiresGrad_();
      const layer = new nn.Dropout(rate);
      const once = layer.forward(x);
      const twice = layer.forward(x);
      twice.sum().backward();
      for (const [t, wanted] of [
        [once, first],
        [twice, second],
        [x.grad!, gradient],
      ] as [Tensor, string][]) {
        expectClose(t.toFlatArray(), floatsFromHex(wanted), 0, `rate ${rate}`);
      }
    });
  }

  it('Dropout does nothing in evaluation, and draws nothing then', () => {
    const layer = new nn.Dropout(0.5).eval();
    const x = zeros(20).add(1);
    manualSeed(1);
    expect(layer.forward(x)).to.equal(x);
    const next = rand(1).item();
    manualSeed(1);
    expect(rand(1).item()).to.equal(next);
    expect(() => F.dropout(x, 1.5)).to.throw('the rate is a finite number from 0 to 1, not 1.5');
    expect(F.dropout(x, 1).sum().item()).to.equal(0);
  });

  it('a Linear of given weights draws nothing', () => {
    manualSeed(3);
    const weight = tensor([[1, 2]]);
    const linear = nn.Linear.of(weight, tensor([10]));
    expect(linear.forward(tensor([[3, 4]])).toArray()).to.deep.equal([[21]]);
    expect([linear.inFeatures, linear.outFeatures, linear.training]).to.deep.equal([2, 1, true]);
    const next = rand(1).item();
    manualSeed(3);
    expect(rand(1).item()).to.equal(next);
  });
});
