import { basename } from 'node:path';
import type { TopLevelSpec } from 'vega-lite';
import { io } from '../../lib/index.ts';

/** One curve: its points and the name in the legend. */
export interface Curve {
  name: string;
  points: readonly { x: number; y: number }[];
}

/** Two axes and the curves between them. */
export interface Panel {
  curves: readonly Curve[];
  x: string;
  y: string;
  /** The range of y; by default that of the curves, a little rounded. Plots that are to be compared share one. */
  yDomain?: [number, number];
  /** Where x counts epochs: how many there are, each with a tick, and all that is seen in them, as a second axis. */
  epochs?: { count: number; seen: number; unit: 'examples' | 'tokens' };
}

export interface Title {
  title: string;
  /** What it was measured on: see `onData`. */
  subtitle?: string;
}

/** `SMSSpamCollection, seed 42`: which data a plot is about, where the data may be a file's path, and with which seed. */
export function onData(source: string, seed: number): string {
  return `${basename(source)}, seed ${seed}`;
}

/** Draws curves over a common axis as an SVG file. */
export async function plotCurves(
  path: string,
  curves: readonly Curve[],
  { title, subtitle, ...axes }: Title & Omit<Panel, 'curves'>,
): Promise<void> {
  await plotPanels(path, { title, subtitle }, [{ curves, ...axes }]);
}

/** Draws panels side by side as one SVG file, with one legend. */
export async function plotPanels(path: string, title: Title, panels: readonly Panel[]): Promise<void> {
  await drawSvg(path, title, { hconcat: panels.map(describePanel) });
}

/** Draws what Vega-Lite is told as an SVG file, written beside its place and then renamed. */
export async function drawSvg(path: string, title: Title, spec: object): Promise<void> {
  await io.writeFileAtomically(path, await svgOf(title, spec));
}

/** What Vega-Lite is told as the text of an SVG. */
export async function svgOf({ title, subtitle }: Title, spec: object): Promise<string> {
  // Loaded only when there is something to draw: it is a third of all code that a garbage collection looks at.
  const [{ parse, View }, { compile }] = await Promise.all([import('vega'), import('vega-lite')]);
  const whole = {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: { text: title, ...(subtitle !== undefined && { subtitle }), anchor: 'middle' },
    background: 'white',
    ...spec,
  } as TopLevelSpec;
  const view = new View(parse(compile(whole).spec), { renderer: 'none' });
  const svg = await view.toSVG();
  view.finalize();
  return svg;
}

function describePanel({ curves, x, y, yDomain, epochs }: Panel) {
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
  };
  const common = {
    width: 480,
    height: 280,
    data: { values: curves.flatMap(({ name, points }) => points.map((point) => ({ ...point, name }))) },
  };
  if (!epochs) return { ...common, ...lines };
  // Points that nobody sees carry the upper axis.
  const upper = {
    mark: { type: 'point', opacity: 0 },
    encoding: {
      x: {
        field: 'x',
        type: 'quantitative',
        title: `${epochs.unit} seen`,
        scale: { domain: [0, epochs.seen], nice: false },
        axis: { orient: 'top', grid: false },
      },
    },
  };
  return { ...common, layer: [lines, upper], resolve: { scale: { x: 'independent' } } };
}
