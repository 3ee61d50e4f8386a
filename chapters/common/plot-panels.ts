import { largest } from './largest.ts';
import { drawSvg } from './plot.ts';

/** Small panels side by side, with one scale and one legend: matrices as maps of colours, or curves. */

/** A matrix as a map: a colour for each number. */
export interface MapPanel {
  title: string;
  /** Names of the rows and columns; two may be alike. */
  rows: readonly string[];
  columns: readonly string[];
  /** [rows][columns]; NaN for a place without a number, which stays grey. */
  values: readonly (readonly number[])[];
}

export interface MapLabels {
  title: string;
  rows: string;
  columns: string;
  /** What the colours are, with the unit. */
  legend: string;
  /** Side of a cell in pixels, and how its number is written, if it is. */
  cell: number;
  format?: string;
}

/** Draws maps side by side as an SVG file. */
export async function plotMaps(path: string, panels: readonly MapPanel[], labels: MapLabels): Promise<void> {
  const highest = largest(
    panels.flatMap(({ values }) => values.flat()),
    0,
  );
  await drawSvg(
    path,
    { title: labels.title },
    {
      hconcat: panels.map(({ title, rows, columns, values }) => {
        const axis = (names: readonly string[], name: string) => ({
          type: 'ordinal',
          sort: null,
          // Positions tell rows apart; their names, of which two may be alike, are only written beside them.
          axis: {
            title: name,
            labelExpr: `${JSON.stringify(names)}[datum.value]`,
            labelOverlap: false,
            domain: false,
            ticks: false,
          },
        });
        const cells = values.flatMap((row, i) =>
          row.map((value, j) => ({ i, j, value: Number.isNaN(value) ? null : value })),
        );
        const x = { field: 'j', ...axis(columns, labels.columns) };
        const y = { field: 'i', ...axis(rows, labels.rows) };
        const map = {
          mark: { type: 'rect', invalid: null, stroke: 'white', strokeWidth: 0.5 },
          encoding: {
            x,
            y,
            color: {
              condition: { test: 'datum.value === null', value: '#ddd' },
              field: 'value',
              type: 'quantitative',
              scale: { scheme: 'blues', domain: [0, highest || 1] },
              legend: { title: labels.legend },
            },
          },
        };
        const numbers = {
          transform: [{ filter: 'datum.value !== null' }],
          mark: { type: 'text', fontSize: 10 },
          encoding: {
            x,
            y,
            text: { field: 'value', type: 'quantitative', format: labels.format },
            color: {
              condition: { test: `datum.value > ${0.6 * highest}`, value: 'white' },
              value: 'black',
            },
          },
        };
        return {
          title,
          width: labels.cell * columns.length,
          height: labels.cell * rows.length,
          data: { values: cells },
          layer: labels.format === undefined ? [map] : [map, numbers],
        };
      }),
    },
  );
}

/** A family of curves, in a panel of its own. */
export interface FamilyPanel {
  title: string;
  y: string;
  curves: readonly { name: string; points: readonly { x: number; y: number }[] }[];
}

export interface FamilyLabels {
  title: string;
  x: string;
  /** What the colours of the curves are. */
  legend: string;
  /** Do the panels share the axis of y? */
  sameY: boolean;
  /** Is x drawn by its logarithm to the base 2, as for ranks? */
  log2?: boolean;
}

/** Draws families of curves side by side as an SVG file. The curves' colours go from light to dark in their order. */
export async function plotFamilies(
  path: string,
  panels: readonly FamilyPanel[],
  labels: FamilyLabels,
): Promise<void> {
  const names = [...new Set(panels.flatMap(({ curves }) => curves.map(({ name }) => name)))];
  const all = panels.flatMap(({ curves }) => curves.flatMap(({ points }) => points));
  const highest =
    largest(
      all.map(({ y }) => y),
      0,
    ) || 1;
  const xs = [...new Set(all.map(({ x }) => x))].sort((a, b) => a - b);
  await drawSvg(
    path,
    { title: labels.title },
    {
      hconcat: panels.map(({ title, y, curves }) => ({
        title,
        width: labels.sameY ? 120 : 280,
        height: 220,
        data: { values: curves.flatMap(({ name, points }) => points.map((point) => ({ ...point, name }))) },
        mark: { type: 'line', point: { size: 20 } },
        encoding: {
          x: {
            field: 'x',
            type: 'quantitative',
            title: labels.x,
            scale: labels.log2 ? { type: 'log', base: 2 } : { zero: false },
            axis: labels.log2 ? { values: xs, format: 'd' } : { format: 'd', tickMinStep: 1 },
          },
          y: {
            field: 'y',
            type: 'quantitative',
            title: y,
            scale: labels.sameY ? { domain: [0, highest] } : { zero: false },
          },
          color: {
            field: 'name',
            type: 'ordinal',
            sort: names,
            title: labels.legend,
            scale: { domain: names, range: shades(names.length) },
          },
        },
      })),
    },
  );
}

/** As many colours, from a light blue over violet to a dark red, told apart in print as well. */
function shades(count: number): string[] {
  return Array.from({ length: count }, (_, i) => {
    const share = count === 1 ? 0 : i / (count - 1);
    return `hsl(${Math.round(205 + 155 * share)}, 65%, ${Math.round(62 - 27 * share)}%)`;
  });
}
