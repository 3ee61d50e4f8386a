import { expect } from 'chai';
import {
  clipByNorm,
  clipByValue,
  cosineOfAngle,
  inverseSquareRoot,
  linearDecay,
} from '../../../chapters/appendixD/exercises.ts';
import { cosineLearningRate, warmupLearningRate } from '../../../chapters/appendixD/index.ts';
import { SCHEDULE } from './notebook-schedule.ts';

describe('appendix D: the exercises', () => {
  it('1: the inverse square root starts at the peak and is half of it after four times the steps', () => {
    expect(inverseSquareRoot(27, SCHEDULE)).to.equal(1e-2);
    expect(inverseSquareRoot(4 * 27, SCHEDULE)).to.be.closeTo(5e-3, 1e-12);
    expect(inverseSquareRoot(5, SCHEDULE)).to.equal(warmupLearningRate(5, SCHEDULE));
  });

  it('2: the straight line meets the cosine at both ends and in the middle', () => {
    for (const step of [10, 27, 81, 135])
      expect(linearDecay(step, SCHEDULE)).to.be.closeTo(cosineLearningRate(step, SCHEDULE), 1e-12);
    expect(linearDecay(40, SCHEDULE)).to.be.below(cosineLearningRate(40, SCHEDULE));
  });

  it('3: a norm of 5 clipped to 1 divides by 5', () => {
    expect(clipByNorm([1, 2, 2, 4], 1)).to.deep.equal([0.2, 0.4, 0.4, 0.8]);
    expect(clipByNorm([0.3, 0.4], 1)).to.deep.equal([0.3, 0.4]);
  });

  it('4: clipping by norm keeps the direction, by value it does not', () => {
    const gradient = [1, 2, 2, 4];
    expect(cosineOfAngle(gradient, clipByNorm(gradient, 1))).to.be.closeTo(1, 1e-12);
    expect(clipByValue(gradient, 1)).to.deep.equal([1, 1, 1, 1]);
    expect(cosineOfAngle(gradient, clipByValue(gradient, 1))).to.be.closeTo(0.9, 1e-12);
  });
});
