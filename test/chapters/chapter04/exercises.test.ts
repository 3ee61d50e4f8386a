import { expect } from 'chai';
import { DeepNetwork } from '../../../chapters/chapter04/04-shortcuts.ts';
import {
  countBlock,
  parametersOf,
  rmsNorm,
  survivingGradient,
} from '../../../chapters/chapter04/exercises.ts';
import {
  countParameters,
  GPT_CONFIG_124M,
  GPTModel,
  TransformerBlock,
} from '../../../chapters/chapter04/index.ts';
import { manualSeed, ones, randn, tensor } from '../../../lib/index.ts';
import { expectNear } from '../../support/close.ts';
import { TINY } from './tiny.ts';

describe('chapter 4: the exercises', () => {
  it('1: two thirds of a block are in its feed-forward layer', () => {
    const counts = countBlock(new TransformerBlock({ ...TINY, embDim: 768, nHeads: 12 }));
    expect(counts).to.deep.equal({ attention: 2_360_064, feedForward: 4_722_432, norms: 3_072 });
  });

  it('2: the arithmetic is that of the model, with biases and without', () => {
    for (const qkvBias of [false, true]) {
      const config = { ...TINY, qkvBias };
      expect(parametersOf(config)).to.equal(countParameters(new GPTModel(config)));
    }
    const xl = { ...GPT_CONFIG_124M, embDim: 1600, nLayers: 48, nHeads: 25 };
    expect(parametersOf(xl)).to.equal(1_637_792_000);
  });

  it('3: RMS norm leaves a mean square of 1, and the mean where it was', () => {
    manualSeed(4);
    const y = rmsNorm(randn(3, 64).add(2), ones(64));
    expectNear(y.square().mean(-1), ones(3), 1e-4);
    expect(y.mean().item()).to.be.above(0.5);
  });

  it('4: with shortcuts a gradient survives that is else lost', () => {
    const surviving = (useShortcut: boolean) => {
      manualSeed(123);
      return survivingGradient(new DeepNetwork([3, 3, 3, 3, 3, 1], useShortcut), tensor([[1, 0, -1]]));
    };
    expect(surviving(false)).to.be.below(0.05);
    expect(surviving(true)).to.be.above(0.15);
  });
});
