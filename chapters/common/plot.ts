import type { TopLevelSpec } from 'vega-lite';
import { writeFileAtomically } from '../../lib/io/files.ts';

/** One curve: its points and the name in the legend. */
export interface Curve {
  name: string;
  points: readonly { x: number; y: number }[];
}

export interface PlotLabels {
  title: string;
  x: string;
  y: string;
  /** The range of y; by default that of the curves, a little rounded. */
  yDomain?: [number, number];
  /** Where x counts epochs: how many there are, each with a tick, and the total of examples seen, as a second axis. */
  epochs?: { count: number; examples: number };
}

/** Draws curves over a common axis as an SVG file, written beside its place and then renamed. */
export async function plotCurves(path: string, curves: readonly Curve[], labels: PlotLabels): Promise<void> {
  // Loaded only when there is something to draw: it is a third of all code that a garbage collection looks at.
  const [{ parse, View }, { compile }] = await Promise.all([import('vega'), import('vega-lite')]);
  const view = new View(parse(compile(describePlot(curves, labels)).spec), { renderer: 'none' });
  await writeFileAtomically(path, await view.toSVG());
  view.finalize();
}

function describePlot(curves: readonly Curve[], { title, x, y, yDomain, epochs }: PlotLabels): TopLevelSpec {
  const whole = epochs && {
    scale: { domain: [0, epochs.count], nice: false },
    axis: { values: Array.from({ length: epochs.count + 1 }, (_, i) => i), format: 'd' },
  };
  const lines = {
    mark: { type: 'line', point: { size: 20 } },
    encoding: {
      x: { field: 'x', type: 'quantitative', title: x, ...whole },
      y: {
        field: 'y',
        type: 'quantitative',
        title: y,
        scale: yDomain ? { domain: yDomain } : { zero: false },
      },
      // The order given, not the alphabet's.
      color: { field: 'name', type: 'nominal', title: null, sort: curves.map((curve) => curve.name) },
    },
  } as const;
  const common = {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title,
    width: 480,
    height: 280,
    background: 'white',
    data: { values: curves.flatMap(({ name, points }) => points.map((point) => ({ ...point, name }))) },
  } as const;
  if (!epochs) return { ...common, ...lines };
  // Points that nobody sees carry the upper axis.
  const upper = {
    mark: { type: 'point' as const, opacity: 0 },
    encoding: {
      x: {
        field: 'x',
        type: 'quantitative' as const,
        title: 'examples seen',
        scale: { domain: [0, epochs.examples], nice: false },
        axis: { orient: 'top' as const, grid: false },
      },
    },
  };
  return { ...common, layer: [lines, upper], resolve: { scale: { x: 'independent' } } };
}
