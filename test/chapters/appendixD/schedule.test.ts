import { expect } from 'chai';
import {
  clipGradients,
  cosineLearningRate,
  findHighestGradient,
  trainModel,
  warmupLearningRate,
  warmupStepsOf,
} from '../../../chapters/appendixD/index.ts';
import { createDataloaderV1 } from '../../../chapters/chapter02/index.ts';
import { GPT_CONFIG_124M, GPTModel } from '../../../chapters/chapter04/index.ts';
import { tokeniser } from '../../../chapters/chapter05/index.ts';
import { manualSeed, nn, optim, type Tensor, tensor } from '../../../lib/index.ts';
import { SCHEDULE } from './notebook-schedule.ts';

const steps = Array.from({ length: SCHEDULE.totalSteps }, (_, step) => step);

describe('appendix D: the learning rate', () => {
  it('takes a fifth of the steps to warm up', () => {
    expect(warmupStepsOf(135)).to.equal(27);
    expect(warmupStepsOf(9)).to.equal(1);
  });

  it('rises in equal increments, and stays', () => {
    const rates = steps.map((step) => warmupLearningRate(step, SCHEDULE));
    expect(rates[0]).to.equal(1e-4);
    for (let i = 1; i <= 27; i++) expect(rates[i] - rates[i - 1]).to.be.closeTo((1e-2 - 1e-4) / 27, 1e-12);
    expect(rates.slice(27).every((rate) => rate === 1e-2)).to.equal(true);
  });

  it('falls on half a cosine, from the peak to the minimum', () => {
    const rates = steps.map((step) => cosineLearningRate(step, SCHEDULE));
    expect(rates.slice(0, 27)).to.deep.equal(steps.slice(0, 27).map((s) => warmupLearningRate(s, SCHEDULE)));
    expect(rates[27]).to.equal(1e-2);
    expect(rates[81]).to.be.closeTo((1e-2 + 1e-5) / 2, 1e-12); // halfway
    expect(cosineLearningRate(135, SCHEDULE)).to.be.closeTo(1e-5, 1e-15);
    for (let i = 28; i < 135; i++) expect(rates[i]).to.be.below(rates[i - 1]);
    expect(rates[27] - rates[28]).to.be.below((rates[80] - rates[81]) / 10); // slow at first
  });
});

describe('appendix D: clipping', () => {
  function withGradients(...gradients: number[][]): nn.Module {
    const linear = new nn.Linear(gradients[0].length, gradients.length);
    linear.weight.grad = tensor(gradients);
    return linear;
  }

  it('finds the highest gradient, not the largest in size; null before backward', () => {
    expect(findHighestGradient(withGradients([1, 2], [-9, 4]))).to.equal(4);
    expect(findHighestGradient(withGradients([-3, -2], [-9, -4]))).to.equal(-2);
    expect(findHighestGradient(new nn.Linear(2, 2))).to.equal(null);
  });

  it('divides by the norm where it is above the limit, and else leaves the gradients alone', () => {
    const model = withGradients([1, 2], [2, 4]); // norm 5
    expect(clipGradients(model)).to.be.closeTo(5, 1e-6);
    expect(findHighestGradient(model)).to.be.closeTo(0.8, 1e-6);
    expect(clipGradients(model)).to.be.closeTo(1, 1e-6);
    const small = withGradients([0.1, 0.2], [0.2, 0.4]);
    expect(clipGradients(small)).to.be.closeTo(0.5, 1e-6);
    expect(findHighestGradient(small)).to.be.closeTo(0.4, 1e-7);
  });
});

/** Records the norm of the gradients that each step is taken with. */
class WatchedSGD extends optim.SGD {
  readonly norms: number[] = [];

  override step(): void {
    const squares = this.params.map(({ grad }) => (grad as Tensor).square().sum().item());
    this.norms.push(Math.sqrt(squares.reduce((sum, square) => sum + square, 0)));
    super.step();
  }
}

describe('appendix D: the training function', () => {
  const text = 'The clerk wound the tide clock and the clock told the tide to the clerk. '.repeat(30);
  const config = { ...GPT_CONFIG_124M, contextLength: 16, embDim: 16, nHeads: 2, nLayers: 1, dropRate: 0 };

  function train() {
    manualSeed(3);
    const model = new GPTModel(config);
    const pieces = { batchSize: 4, maxLength: 16, stride: 16 };
    const trainLoader = createDataloaderV1(text, pieces);
    const valLoader = createDataloaderV1(text.slice(0, 400), { ...pieces, dropLast: false });
    const optimizer = new WatchedSGD(model.parameters(), { lr: 2 });
    const lines: string[] = [];
    const history = trainModel(model, trainLoader, valLoader, optimizer, {
      ...{ numEpochs: 2, evalFreq: 4, evalIter: 1, warmupSteps: 3, initialLr: 0.1, minLr: 0.01 },
      ...{ startContext: 'The', tokeniser, print: (line: string) => void lines.push(line) },
    });
    return { history, lines, norms: optimizer.norms, stepsPerEpoch: trainLoader.length };
  }

  it('follows the schedule, clips from the end of the warm-up on, and learns', () => {
    const { history, lines, norms, stepsPerEpoch } = train();
    const totalSteps = 2 * stepsPerEpoch;
    const schedule = { initialLr: 0.1, peakLr: 2, minLr: 0.01, warmupSteps: 3, totalSteps };
    expect(history.learningRates).to.deep.equal(
      Array.from({ length: totalSteps }, (_, step) => cosineLearningRate(step, schedule)),
    );
    expect(norms.slice(0, 3).every((norm) => norm > 1.01)).to.equal(true, `${norms}`);
    expect(norms.slice(3).every((norm) => norm <= 1.0001)).to.equal(true, `${norms}`);
    expect(history.tokensSeen[1]).to.equal(5 * 4 * 16);
    expect(history.trainLosses.at(-1)).to.be.below(history.trainLosses[0] - 1);
    expect(lines[0]).to.match(/^Ep 1 \(Iter 000000\): Train loss 1\d\.\d{3}, Val loss 1\d\.\d{3}$/);
    expect(lines.at(-1)).to.match(/^The/);
  });
});
