import { expect } from 'chai';
import { DeepNetwork, gradientSizes } from '../../../chapters/chapter04/04-shortcuts.ts';
import { parametersOf } from '../../../chapters/chapter04/exercises.ts';
import {
  countParameters,
  GPT_CONFIG_124M,
  type GPTConfig,
  GPTModel,
  geluByHand,
  generateTextSimple,
  LayerNorm,
  layerNormByHand,
  TransformerBlock,
} from '../../../chapters/chapter04/index.ts';
import { F, manualSeed, noGrad, ones, randn, type Tensor, tensor, UserError } from '../../../lib/index.ts';
import { expectNear } from '../../support/close.ts';
import { TINY } from './tiny.ts';

function tinyModel(config: Partial<GPTConfig> = {}): GPTModel {
  manualSeed(123);
  return new GPTModel({ ...TINY, ...config }).eval();
}

describe('chapter 4: the parts', () => {
  it('F.layerNorm is the formula written out, and so is its derivative', () => {
    manualSeed(1);
    const [x, scale, shift] = [randn(2, 3, 7), randn(7), randn(7)];
    const gradients = [F.layerNorm, layerNormByHand].map((norm) => {
      const leaves = [x, scale, shift].map((t) => t.clone().requiresGrad_(true)) as [Tensor, Tensor, Tensor];
      norm(...leaves)
        .square()
        .sum()
        .backward();
      return leaves.map((leaf) => leaf.grad!);
    });
    expectNear(F.layerNorm(x, scale, shift), layerNormByHand(x, scale, shift));
    gradients[0].forEach((gradient, i) => {
      expectNear(gradient, gradients[1][i], 1e-4);
    });
  });

  it('LayerNorm gives each token mean 0 and variance 1', () => {
    manualSeed(2);
    const y = new LayerNorm(16).forward(randn(4, 5, 16).mul(7).add(3)).detach();
    expect(y.mean(-1).abs().max().item()).to.be.below(1e-5);
    expectNear(y.var(-1, { unbiased: false }), ones(4, 5), 1e-4);
  });

  const bookGelu = (x: Tensor) => F.gelu(x, { approximate: 'tanh' });
  it('F.gelu is the formula written out, and so is its derivative', () => {
    const values = [-6, -1.5, -0.3, 0, 0.1, 2, 8];
    const gradients = [bookGelu, geluByHand].map((gelu) => {
      const x = tensor(values, { requiresGrad: true });
      gelu(x).sum().backward();
      return x.grad!;
    });
    expectNear(bookGelu(tensor(values)), geluByHand(tensor(values)));
    expectNear(gradients[0], gradients[1], 1e-5);
  });

  it('shortcuts carry the gradient to the first layer', () => {
    const first = (useShortcut: boolean) => {
      manualSeed(123);
      return gradientSizes(new DeepNetwork([3, 3, 3, 3, 3, 1], useShortcut), tensor([[1, 0, -1]]))[0][1];
    };
    // The book's figures, to the digits that float32 holds whatever the order of adding.
    expect(first(false)).to.be.closeTo(0.000201736, 1e-9);
    expect(first(true)).to.be.closeTo(0.221698, 1e-6);
  });

  it('a shortcut is taken only where the shapes allow it', () => {
    const network = new DeepNetwork([3, 3, 5], true);
    expect(network.forward(tensor([[1, 0, -1]])).shape).to.deep.equal([1, 5]);
  });

  it('a block whose last layers are zero passes its input on unchanged', () => {
    manualSeed(3);
    const block = new TransformerBlock(TINY);
    const silence = [block.att.outProj, block.ff.layers.at(-1)];
    noGrad(() => {
      for (const layer of silence) for (const p of layer.parameters()) p.copyInPlace(tensor(0));
    });
    const x = randn(2, 4, 12);
    expectNear(block.forward(x), x, 1e-12);
  });
});

describe('chapter 4: the model', () => {
  it('has 163,009,536 parameters, 124,412,160 with tied weights', function () {
    this.timeout(120_000);
    const model = new GPTModel(GPT_CONFIG_124M);
    expect(countParameters(model)).to.equal(163_009_536);
    expect(countParameters(model) - countParameters(model.outHead)).to.equal(124_412_160);
    expect(parametersOf(GPT_CONFIG_124M)).to.equal(163_009_536);
  });

  it('sees no later token', () => {
    const model = tinyModel();
    const logits = (ids: number[]) => model.forward(tensor([ids], { dtype: 'int32' })).detach();
    expectNear(logits([5, 6, 7, 8]).narrow(1, 0, 3), logits([5, 6, 7, 49]).narrow(1, 0, 3), 1e-12);
  });

  it('tells the same token at two positions apart', () => {
    const logits = tinyModel()
      .forward(tensor([[5, 5]], { dtype: 'int32' }))
      .detach();
    expect(logits.select(1, 0).sub(logits.select(1, 1)).abs().max().item()).to.be.above(1e-3);
  });

  it('refuses a text longer than its context, in one line', () => {
    const ids = tensor([Array(9).fill(1)], { dtype: 'int32' });
    expect(() => tinyModel().forward(ids)).to.throw(UserError, /at most 8 tokens, not 9/);
  });

  it('generates greedily, and looks at no more than the context', () => {
    const model = tinyModel();
    const start = tensor([[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]], { dtype: 'int32' });
    const out = generateTextSimple(model, start, 3, 8);
    expect(out.shape).to.deep.equal([1, 13]);
    expect(out.narrow(1, 0, 10).toArray()).to.deep.equal(start.toArray());
    for (const length of [10, 11, 12]) {
      const seen = out.narrow(1, length - 8, 8);
      const likeliest = model.forward(seen).select(1, -1).argmax(-1).item();
      expect(out.select(0, 0).select(0, length).item()).to.equal(likeliest);
    }
  });
});
