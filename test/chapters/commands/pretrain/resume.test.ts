import { expect } from 'chai';
import {
  carryOn,
  emptyHistory,
  newMini,
  pretrainingLoss,
  pretrainSteps,
  weightsToSave,
} from '../../../../chapters/commands/pretrain/pretraining.ts';
import { textSource } from '../../../../chapters/commands/pretrain/pretraining-text.ts';
import { Vocabulary } from '../../../../chapters/commands/pretrain/vocabulary.ts';
import { TrainingPlace } from '../../../../chapters/common/training.ts';
import { optim, useBackend, zeros } from '../../../../lib/index.ts';

describe('pretraining mini', () => {
  before(async function () {
    if ((await useBackend('wasm')).name !== 'wasm') this.skip();
  });
  after(() => useBackend('js'));

  const text = Int32Array.from({ length: 300 }, (_, i) => 3 * (i % 7));
  const source = textSource('text', 1, text);
  const vocabulary = new Vocabulary([text], 50257);
  const options = {
    ...{ vocabulary, training: [source], validation: [source], steps: 12, batchSize: 4, length: 16 },
    ...{ peakLr: 3e-3, seed: 1, evalEvery: 4, print: () => {} },
  };

  it('learns a text, and looks at its losses now and then', () => {
    const model = newMini(1, vocabulary.ids.length);
    const optimizer = new optim.AdamW(model.parameters(), { lr: 3e-3 });
    const place = new TrainingPlace(emptyHistory());
    const losses = [...pretrainSteps(model, optimizer, options, place)];
    expect(losses[0]).to.be.closeTo(Math.log(7), 0.3);
    expect(losses.at(-1)).to.be.below(1);
    const { points } = place.history;
    expect(points.map(({ step, tokens }) => [step, tokens])).to.deep.equal([
      [4, 256],
      [8, 512],
      [12, 768],
    ]);
    expect(points[0].training).to.be.closeTo((losses[0] + losses[1] + losses[2] + losses[3]) / 4, 1e-6);
    expect(points[2].heldOut.text).to.be.below(points[0].heldOut.text);
  });

  it('goes on after a stop as if there had been none', () => {
    const run = (stopAfter: number) => {
      const model = newMini(1, vocabulary.ids.length);
      const optimizer = new optim.AdamW(model.parameters(), { lr: 3e-3 });
      const losses: number[] = [];
      let place = new TrainingPlace(emptyHistory());
      for (const loss of pretrainSteps(model, optimizer, options, place)) {
        losses.push(loss);
        if (losses.length === stopAfter) break;
      }
      if (losses.length === options.steps) return { losses, history: place.history };
      const saved = place.save();
      place = new TrainingPlace(emptyHistory());
      place.restore(structuredClone(saved));
      losses.push(...pretrainSteps(model, optimizer, options, place));
      return { losses, history: place.history };
    };
    const whole = run(12);
    expect(run(6)).to.deep.equal(whole);
  });

  it('carries on from weights over all ids, on a text with other ids', () => {
    const old = newMini(1, vocabulary.ids.length);
    const weights = weightsToSave(old, vocabulary);
    const other = new Vocabulary([text, [1, 5]], 50257);
    const model = newMini(2, other.ids.length);
    carryOn(model, other, weights);
    expect(model.outHead.weight).to.equal(model.tokEmb.weight);
    const saved = weightsToSave(model, other);
    for (const [name, tensor] of Object.entries(weights)) {
      const ids = name === 'tok_emb.weight' ? [...other.ids] : undefined;
      const rows = (x: typeof tensor) => (ids ? x.indexSelect(0, ids) : x).toFlatArray();
      expect(rows(saved[name]), name).to.deep.equal(rows(tensor));
    }
    expect(pretrainingLoss(model, other, [text.slice(0, 17)]).item()).to.be.closeTo(Math.log(9), 0.3);
    expect(() => carryOn(model, other, { ...weights, 'tok_emb.weight': zeros(7, 128) })).to.throw(
      'the weights to carry on from are not those of a mini: tok_emb.weight [50257, 128] is expected, not [7, 128]',
    );
  });
});
