import { svgOf } from '../../common/plot.ts';
import { BASES } from './methods.ts';
import type { Row } from './table.ts';

/** The accuracy on the test part against how many numbers were trained. */

/** A point of the figure, in percent; `low` and `high` are a standard deviation away from the mean. */
export interface Point {
  base: string;
  method: string;
  trained: number;
  mean: number;
  low: number;
  high: number;
}

export function pointsOf(rows: readonly Row[]): Point[] {
  return rows.map(({ base, method, trained, accuracy: { test } }) => {
    const [mean, spread] = [100 * test.mean, 100 * (test.spread ?? 0)];
    return { base: `${base} weights`, method, trained, mean, low: mean - spread, high: mean + spread };
  });
}

/** The figure, as the text of an SVG. @param subtitle which data, their seed, and how many runs a point is the mean of */
export function figureOf(rows: readonly Row[], subtitle: string): Promise<string> {
  const points = pointsOf(rows);
  const x = { field: 'trained', type: 'quantitative', scale: { type: 'log' } };
  const y = (field: string) => ({ field, type: 'quantitative', scale: { zero: false } });
  const color = { field: 'base', type: 'nominal', title: null, sort: BASES.map((base) => `${base} weights`) };
  const decades = { format: '~s', values: [1e2, 1e3, 1e4, 1e5, 1e6, 1e7] };
  const accuracy = { ...y('mean'), title: 'test accuracy in %' };
  // The methods' names stand above their numbers.
  const names = Object.fromEntries(points.map(({ trained, method }) => [trained, method]));
  const above = {
    ...{ orient: 'top', title: null, grid: false, values: Object.keys(names).map(Number) },
    labelExpr: `(${JSON.stringify(names)})[toString(datum.value)]`,
    ...{ labelAngle: -40, labelAlign: 'left', labelOverlap: false, labelBound: false, labelFlush: false },
  };
  return svgOf(
    { title: 'What is trained, and how often it is right', subtitle },
    {
      width: 640,
      height: 320,
      data: { values: points },
      layer: [
        {
          mark: { type: 'point', filled: true, size: 60, opacity: 1 },
          encoding: { x: { ...x, title: 'numbers trained', axis: decades }, y: accuracy, color },
        },
        { mark: 'rule', encoding: { x: { ...x, axis: null }, y: y('low'), y2: { field: 'high' }, color } },
        { mark: { type: 'point', opacity: 0 }, encoding: { x: { ...x, axis: above } } },
      ],
      resolve: { axis: { x: 'independent' } },
    },
  );
}
