import type { TopLevelSpec } from 'vega-lite';
import { writeFileAtomically } from '../../lib/io/files.ts';

/** One curve: its points and the name in the legend. */
export interface Curve {
  name: string;
  points: readonly { x: number; y: number }[];
}

/** Draws curves over a common axis as an SVG file, beside and then renamed. */
export async function plotCurves(
  path: string,
  curves: readonly Curve[],
  labels: { title: string; x: string; y: string },
): Promise<void> {
  const spec: TopLevelSpec = {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: labels.title,
    width: 480,
    height: 280,
    background: 'white',
    data: { values: curves.flatMap(({ name, points }) => points.map((point) => ({ ...point, name }))) },
    mark: { type: 'line', point: { size: 20 } },
    encoding: {
      x: { field: 'x', type: 'quantitative', title: labels.x },
      y: { field: 'y', type: 'quantitative', title: labels.y, scale: { zero: false } },
      // The order given, not the alphabet's.
      color: { field: 'name', type: 'nominal', title: null, sort: curves.map((curve) => curve.name) },
    },
  };
  // Loaded when there is something to draw: a third of all code in memory, which each garbage collection looks at.
  const [{ parse, View }, { compile }] = await Promise.all([import('vega'), import('vega-lite')]);
  const view = new View(parse(compile(spec).spec), { renderer: 'none' });
  await writeFileAtomically(path, await view.toSVG());
  view.finalize();
}
