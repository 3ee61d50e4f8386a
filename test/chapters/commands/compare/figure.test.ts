import { expect } from 'chai';
import { figureOf, pointsOf } from '../../../../chapters/commands/compare/figure.ts';
import { METHOD_NAMES } from '../../../../chapters/commands/compare/methods.ts';
import { plan } from '../../../../chapters/commands/compare/runs.ts';
import { cellsOf, shown, tableOf } from '../../../../chapters/commands/compare/table.ts';
import { someResult } from './results.ts';

describe('compare: the figure', () => {
  const runs = plan(METHOD_NAMES, [42, 43]).map((task, i) => ({
    task,
    result: { ...someResult({ test: 0.5 + i / 100 }), trained: 100 * 3 ** METHOD_NAMES.indexOf(task.method) },
  }));
  const rows = tableOf(runs);

  it('has the numbers of the table', () => {
    const points = pointsOf(rows);
    expect(points).to.have.length(rows.length);
    points.forEach(({ base, method, trained, mean, low, high }, i) => {
      const [ownBase, ownMethod, ownTrained, , test] = cellsOf(rows[i]);
      expect(base).to.equal(`${ownBase} weights`);
      expect([method, trained.toLocaleString('en')]).to.deep.equal([ownMethod, ownTrained]);
      expect(shown({ mean, spread: high - mean }, 1, 1, '%')).to.equal(test);
      expect(high - mean).to.be.closeTo(mean - low, 1e-9);
    });
  });

  it('names the methods, the data and the axes, and has a mark for each row', async () => {
    const svg = await figureOf(rows, 'SMSSpamCollection, seed 42; mean of 2 runs');
    const texts = Array.from(svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g), ([, text]) => text);
    expect(texts).to.include.members([
      ...METHOD_NAMES,
      'SMSSpamCollection, seed 42; mean of 2 runs',
      'numbers trained',
      'test accuracy in %',
      'pretrained weights',
      'random weights',
    ]);
    const marks = Array.from(
      svg.matchAll(/aria-label="numbers trained: [^;]*; test accuracy in %: ([^;]*);/g),
    );
    const means = pointsOf(rows).map(({ mean }) => mean.toFixed(6));
    expect(marks.map(([, mean]) => Number(mean).toFixed(6))).to.deep.equal(means);
  });
});
