import { expect } from 'chai';
import fc from 'fast-check';
import {
  againstMajority,
  confusionMatrix,
  majorityOf,
  measuresOf,
  perClassTable,
  shareRight,
} from '../../../chapters/chapter06/index.ts';

const NAMES = ['billing', 'delivery', 'returns'];
const answers = fc
  .array(fc.tuple(fc.nat(2), fc.nat(2)), { minLength: 1, maxLength: 40 })
  .map((pairs) => ({ labels: pairs.map(([label]) => label), predicted: pairs.map(([, named]) => named) }));

describe('class by class', () => {
  it('precision, recall and F1 are what their definitions count', () => {
    fc.assert(
      fc.property(answers, ({ labels, predicted }) => {
        const confusion = confusionMatrix({ labels, predicted }, 3);
        measuresOf(confusion, NAMES).forEach(({ name, count, precision, recall, f1 }, c) => {
          const share = (of: number[], where: number[]) =>
            of.filter((each, i) => each === c && where[i] === c).length /
            of.filter((each) => each === c).length;
          expect([name, count]).to.deep.equal([NAMES[c], labels.filter((label) => label === c).length]);
          expect(recall).to.deep.equal(share(labels, predicted));
          expect(precision).to.deep.equal(share(predicted, labels));
          if (precision > 0 && recall > 0) expect(f1).to.be.closeTo(2 / (1 / precision + 1 / recall), 1e-12);
          else if (!Number.isNaN(precision + recall)) expect(f1).to.equal(0);
        });
        const diagonal = confusion.reduce((sum, row, i) => sum + row[i], 0);
        expect(shareRight({ labels, predicted })).to.equal(diagonal / labels.length);
      }),
    );
  });

  it('as scikit-learn has them: 3, 2 and 1 of three classes', () => {
    const confusion = confusionMatrix({ labels: [0, 0, 0, 1, 1, 2], predicted: [0, 0, 1, 1, 1, 0] }, 3);
    expect(confusion).to.deep.equal([
      [2, 1, 0],
      [0, 2, 0],
      [1, 0, 0],
    ]);
    const [first, second, third] = measuresOf(confusion, NAMES);
    expect(first).to.deep.equal({ name: 'billing', count: 3, precision: 2 / 3, recall: 2 / 3, f1: 4 / 6 });
    expect(second).to.deep.equal({ name: 'delivery', count: 2, precision: 2 / 3, recall: 1, f1: 0.8 });
    expect(third).to.deep.equal({ name: 'returns', count: 1, precision: Number.NaN, recall: 0, f1: 0 });
    const lines = perClassTable(confusion, NAMES).split('\n');
    expect(lines[0]).to.match(/^class +texts +found +precision +recall +F1 +taken for$/);
    expect(lines[2]).to.match(/^billing +3 +2 +66\.7% +66\.7% +66\.7% +delivery 1$/);
    expect(lines[4]).to.match(/^returns +1 +0 +– +0\.0% +0\.0% +billing 1$/);
  });

  it('is shown for those that most were missed of, where there are many', () => {
    const names = Array.from({ length: 50 }, (_, i) => `class ${i}`);
    const labels = names.map((_, i) => i);
    const predicted = labels.map((label) => (label === 37 ? 0 : label));
    const table = perClassTable(confusionMatrix({ labels, predicted }, 50), names);
    expect(table.split('\n')).to.have.length(23);
    expect(table).to.match(/\nclass 37 +1 +0 /);
    expect(table).to.match(/\(and 30 classes of which fewer were missed/);
  });

  it('an accuracy is worth nothing where always naming one class is as good', () => {
    const rows = Array.from({ length: 11 }, (_, i) => ({ label: i === 0 ? 1 : 0 }));
    const majority = majorityOf(rows, NAMES);
    expect(majority).to.deep.equal({ name: 'billing', share: 10 / 11 });
    expect(againstMajority(10 / 11, majority)).to.equal("no better than always naming 'billing' (90.9%)");
    expect(againstMajority(1, majority)).to.equal("against 90.9% by always naming 'billing'");
  });
});
