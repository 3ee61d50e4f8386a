import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { type FineTuneSettings, fineTune } from '../../../chapters/chapter06/07-fine-tuning.ts';
import {
  type ClassLogits,
  calcLossBatch,
  classWeightsOf,
  lastPositionOnly,
  SpamDataset,
  wrapWithLoRA,
} from '../../../chapters/chapter06/index.ts';
import { DataLoader, type Tensor } from '../../../lib/index.ts';
import { messages, tinyClassifier } from './tiny.ts';

describe('--class-weights balanced', () => {
  const rows = [0, 0, 0, 0, 0, 1, 1, 2].map((label) => ({ text: 'x', label }));
  const names = ['billing', 'refund', 'other'];

  it("are scikit-learn's: texts / (classes × texts of the class)", () => {
    // compute_class_weight('balanced', classes=[0, 1, 2], y=[0, 0, 0, 0, 0, 1, 1, 2])
    const weights = classWeightsOf('balanced', rows, names)!.toFlatArray();
    expect(weights).to.deep.equal([0.53333336, 1.3333334, 2.6666667].map(Math.fround));
    for (const choice of ['none', undefined] as const)
      expect(classWeightsOf(choice, rows, names)).to.equal(undefined);
  });

  it('a class without a text is named', () => {
    expect(() => classWeightsOf('balanced', rows, [...names, 'thanks'])).to.throw(
      "--class-weights balanced: the training part has no text of the class 'thanks'",
    );
  });

  it("a batch's loss is the weighted mean", () => {
    const model = tinyClassifier();
    const [[inputs, labels]] = new DataLoader<[Tensor, Tensor]>(
      new SpamDataset([...messages(5), ...messages(1)]),
      {
        batchSize: 6,
      },
    );
    const weights = classWeightsOf('balanced', [...messages(5), ...messages(1)], ['ham', 'spam'])!;
    const each = lastPositionOnly(model)(inputs, model).logSoftmax(-1).toArray() as number[][];
    const w = weights.toFlatArray() as number[];
    const numbers = labels.toFlatArray() as number[];
    const sum = (of: (label: number, row: number) => number) =>
      numbers.reduce((total, label, row) => total + of(label, row), 0);
    const expected = sum((label, row) => -w[label] * each[row][label]) / sum((label) => w[label]);
    expect(calcLossBatch(inputs, labels, model, undefined, weights).item()).to.be.closeTo(expected, 1e-6);
    expect(calcLossBatch(inputs, labels, model).item()).not.to.be.closeTo(expected, 1e-4);
  });
});

describe('--keep best', function () {
  this.timeout(60_000);
  const root = mkdtempSync(join(tmpdir(), 'keep-best-'));
  after(() => rmSync(root, { recursive: true }));
  const EPOCHS = 4;
  const STEPS = 3 * EPOCHS;

  /** A training whose validation part has some texts under the other class, so that the loss rises again. */
  async function train(settings: Partial<FineTuneSettings> & { folder?: string; resume?: boolean }) {
    const model = tinyClassifier(1);
    wrapWithLoRA(model, { rank: 2, alpha: 2 });
    const other = messages(6).map(({ text, label }, i) => ({ text, label: i < 3 ? 1 - label : label }));
    const [train, valid] = [new SpamDataset(messages(12)), new SpamDataset(other, { maxLength: 12 })];
    const folder = settings.folder ?? mkdtempSync(join(root, 'run-'));
    const history = await fineTune(
      model,
      {
        train: new DataLoader<[Tensor, Tensor]>(train, { batchSize: 4, shuffle: true }),
        valid: new DataLoader<[Tensor, Tensor]>(valid, { batchSize: 4 }),
        test: new DataLoader<[Tensor, Tensor]>(valid, { batchSize: 4 }),
      },
      {
        ...{ method: 'lora', lr: 3e-2, schedule: 'constant', epochs: EPOCHS, seed: 3, keep: 'best' },
        print: () => {},
        ...settings,
        saving: {
          ...{ folder, print: () => {} },
          options: { saveEvery: 2, resume: settings.resume ?? false, anew: !settings.resume },
        },
      },
    );
    const weights = Object.fromEntries(
      Object.entries(model.stateDict()).map(([name, tensor]) => [name, tensor.toFlatArray()]),
    );
    return { history, weights };
  }

  it('trains as without it, and comes to the weights of the epoch with the lowest loss over all of the validation part', async () => {
    const last = await train({ keep: 'last' });
    const { history, weights } = await train({});
    const { best, ...same } = history;
    expect(same).to.deep.equal(last.history);
    expect(best!.epoch).to.be.within(2, EPOCHS - 1);
    expect(weights).to.deep.equal((await train({ keep: 'last', epochs: best!.epoch })).weights);
    expect(weights).not.to.deep.equal(last.weights);
    for (let epochs = 1; epochs <= EPOCHS; epochs++) {
      const { valLoss } = (await train({ epochs })).history.best!;
      expect(valLoss).to.be.at.least(best!.valLoss);
    }
  });

  it('killed at any steps and gone on with, ends with the same bits', async () => {
    class Killed extends Error {}
    const whole = await train({});
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(STEPS + 6), { minLength: 1, maxLength: 3 }), async (kills) => {
        const folder = mkdtempSync(join(root, 'killed-'));
        let resume = false;
        for (const kill of kills) {
          let asked = 0;
          const logitsOf: ClassLogits = (inputs, model) => {
            if (asked++ === 4 * kill) throw new Killed();
            return model.forward(inputs).select(1, -1);
          };
          await train({ folder, resume, logitsOf }).catch((error) => {
            if (!(error instanceof Killed)) throw error;
          });
          resume = true;
        }
        expect(await train({ folder, resume })).to.deep.equal(whole);
        expect(await train({ folder, resume })).to.deep.equal(whole); // one that is finished too
      }),
      { numRuns: 5 },
    );
  });
});
