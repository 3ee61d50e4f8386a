import { expect } from 'chai';
import { countParameters, GPT_CONFIG_124M } from '../../../chapters/chapter04/index.ts';
import {
  firstPositionLogits,
  logitsAtOwnEnd,
  majorityAccuracy,
  trainedNumbers,
} from '../../../chapters/chapter06/exercises.ts';
import { chooseTrainable, wrapWithLoRA } from '../../../chapters/chapter06/index.ts';
import { tensor } from '../../../lib/index.ts';
import { expectClose } from '../../support/close.ts';
import { tinyClassifier } from './tiny.ts';

describe('chapter 6: exercises', () => {
  it('1: the formulas count what is trained, and give the book’s figures for GPT-2 small', () => {
    for (const method of ['head', 'last-block', 'lora', 'full'] as const) {
      const model = tinyClassifier();
      if (method === 'lora') wrapWithLoRA(model, { rank: 4, alpha: 4 });
      else chooseTrainable(model, method);
      expect(trainedNumbers(method, model.config, 4), method).to.equal(
        countParameters(model, { trainableOnly: true }),
      );
    }
    const small = { ...GPT_CONFIG_124M, qkvBias: true };
    expect(trainedNumbers('last-block', small, 16)).to.equal(7_090_946);
    expect(trainedNumbers('lora', small, 16)).to.equal(2_666_528);
    expect(trainedNumbers('full', small, 16)).to.equal(124_441_346);
  });

  it('2: the first position knows the first token only', () => {
    const logits = firstPositionLogits(
      tinyClassifier(),
      tensor(
        [
          [5, 6, 7],
          [5, 900, 12],
        ],
        { dtype: 'int32' },
      ),
    );
    const [one, other] = logits.toArray() as number[][];
    expectClose(one, other, 1e-6, 'logits');
  });

  it('3: padding changes nothing at the message’s own end', () => {
    const model = tinyClassifier();
    const padded = logitsAtOwnEnd(model, tensor([[5, 6, 7, 50256, 50256]], { dtype: 'int32' }), 3);
    const bare = logitsAtOwnEnd(model, tensor([[5, 6, 7]], { dtype: 'int32' }), 3);
    expectClose(padded.toFlatArray(), bare.toFlatArray() as number[], 1e-5, 'logits');
  });

  it('4: the majority class', () => {
    expect(majorityAccuracy([0, 0, 0, 1])).to.equal(0.75);
    expect(majorityAccuracy([...Array(4825).fill(0), ...Array(747).fill(1)])).to.be.closeTo(0.866, 5e-4);
  });
});
