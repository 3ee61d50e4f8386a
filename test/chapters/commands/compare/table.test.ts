import { expect } from 'chai';
import fc from 'fast-check';
import { METHOD_NAMES } from '../../../../chapters/commands/compare/methods.ts';
import { plan } from '../../../../chapters/commands/compare/runs.ts';
import { cellsOf, HEADER, measure, shown, tableOf } from '../../../../chapters/commands/compare/table.ts';
import { someResult } from './results.ts';

describe('compare: mean and spread', () => {
  const values = fc.array(fc.double({ min: -100, max: 100, noNaN: true }), { minLength: 2, maxLength: 9 });

  it('adding a number to all values moves the mean by it, and leaves the spread', () => {
    fc.assert(
      fc.property(values, fc.double({ min: -100, max: 100, noNaN: true }), (all, shift) => {
        const [before, after] = [measure(all), measure(all.map((value) => value + shift))];
        expect(after.mean).to.be.closeTo(before.mean + shift, 1e-9);
        expect(after.spread).to.be.closeTo(before.spread!, 1e-6);
      }),
    );
  });

  it('the mean is a value that the squared deviations, n − 1 times the squared spread, are least for', () => {
    fc.assert(
      fc.property(values, fc.double({ min: -100, max: 100, noNaN: true }), (all, other) => {
        const { mean, spread } = measure(all);
        const squares = (from: number) => all.reduce((sum, value) => sum + (value - from) ** 2, 0);
        expect((all.length - 1) * spread! ** 2).to.be.closeTo(squares(mean), 1e-6);
        expect(squares(mean)).to.be.at.most(squares(other) + 1e-6);
      }),
    );
  });

  it('of 2, 4, 4, 4, 5, 5, 7, 9: 5 and √(32 / 7); of one value no spread', () => {
    expect(measure([2, 4, 4, 4, 5, 5, 7, 9])).to.deep.equal({ mean: 5, spread: Math.sqrt(32 / 7) });
    expect(measure([3])).to.deep.equal({ mean: 3 });
  });

  it('is shown with as many digits as asked, in the unit', () => {
    expect(shown({ mean: 0.97333, spread: 0.00577 }, 100, 1, '%')).to.equal('97.3 ± 0.6%');
    expect(shown({ mean: 0.5 }, 100, 1, '%')).to.equal('50.0%');
    expect(shown({ mean: 1, spread: 0 }, 100, 1, '%')).to.equal('100.0 ± 0.0%');
  });
});

describe('compare: the table', () => {
  it('has a row for each base and method, whose measures are those of its own runs', () => {
    const tasks = plan(METHOD_NAMES, [42, 43, 44]);
    const runs = tasks.map((task, i) => ({ task, result: someResult({ test: i / 100, seconds: i }) }));
    const rows = tableOf(runs);
    expect(rows.map(({ base, method }) => `${base} ${method}`)).to.deep.equal([
      ...METHOD_NAMES.map((method) => `pretrained ${method}`),
      ...METHOD_NAMES.map((method) => `random ${method}`),
    ]);
    for (const row of rows) {
      const own = runs.filter(({ task }) => task.base === row.base && task.method === row.method);
      expect(row.runs).to.equal(3);
      expect(row.accuracy.test).to.deep.equal(measure(own.map(({ result }) => result.accuracy.test)));
      expect(row.seconds).to.deep.equal(measure(own.map(({ result }) => result.seconds)));
      expect(cellsOf(row)).to.have.length(HEADER.length);
    }
  });

  it('counts the runs in which both examples are right', () => {
    const [task] = plan(['head'], [1]);
    const examples = [
      { spam: 0.9, ham: 0.1 },
      { spam: 0.9, ham: 0.6 },
      { spam: 0.5, ham: 0.5 },
    ];
    const rows = tableOf(examples.map((each) => ({ task, result: { ...someResult({}), examples: each } })));
    expect(rows[0].examplesRight).to.equal(1);
    const none = tableOf([{ task, result: { ...someResult({}), examples: undefined } }]);
    expect(none[0].examplesRight).to.equal(undefined);
  });
});
