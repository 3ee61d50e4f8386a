/** Curves, heat maps and bars. */

/** One curve: its points in order, and a name for the legend. */
export interface Curve {
  name: string;
  points: readonly { x: number; y: number }[];
}

/** Distinct in light and dark, and for those who see few colours (Okabe and Ito 2008). */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#8a6d00', '#56b4e9'];
const [WIDTH, HEIGHT, LEFT, BOTTOM, TOP] = [640, 220, 44, 24, 20];

/** Curves over one axis, as an SVG picture with its numbers on the axes. */
export function curves(title: string, all: readonly Curve[], xLabel: string): SVGSVGElement {
  const points = all.flatMap((curve) => curve.points);
  const [xs, ys] = [points.map(({ x }) => x), points.map(({ y }) => y)];
  const [right, top] = [Math.max(1, ...xs), Math.max(1e-9, ...ys)];
  const at = (x: number, y: number) => {
    const [across, up] = [x / right, y / top];
    return `${(LEFT + across * (WIDTH - LEFT - 10)).toFixed(1)} ${(HEIGHT - BOTTOM - up * (HEIGHT - BOTTOM - TOP)).toFixed(1)}`;
  };
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute('class', 'curves');
  svg.setAttribute('role', 'img');
  svg.setAttribute(
    'aria-label',
    `${title}: ${all.map(({ name, points: p }) => `${name} ${p.at(-1)?.y.toFixed(3) ?? 'none'}`).join(', ')}`,
  );
  const line = ({ points: p }: Curve, i: number) =>
    p.length === 0
      ? ''
      : `<path fill="none" stroke="${COLOURS[i % COLOURS.length]}" stroke-width="1.8" d="M${p.map(({ x, y }) => at(x, y)).join('L')}"/>`;
  const legend = all.map(
    ({ name }, i) =>
      `<tspan fill="${COLOURS[i % COLOURS.length]}">● </tspan><tspan>${name.replaceAll('<', '&lt;')}   </tspan>`,
  );
  svg.innerHTML = `<path stroke="currentColor" stroke-opacity=".4" fill="none" d="M${at(0, top)}L${at(0, 0)}L${at(right, 0)}"/>
<text x="${LEFT - 6}" y="${TOP + 4}" text-anchor="end">${top.toPrecision(2)}</text><text x="${LEFT - 6}" y="${HEIGHT - BOTTOM}" text-anchor="end">0</text>
<text x="${WIDTH - 10}" y="${HEIGHT - 6}" text-anchor="end">${xLabel} ${right}</text>
${all.map(line).join('')}<text x="${LEFT + 6}" y="12">${legend.join('')}</text>`;
  return svg;
}

/** Blue below zero, white at zero, orange above; `limit` has the full colour. */
export function colour(value: number, limit: number): [number, number, number] {
  const share = Math.max(-1, Math.min(1, limit > 0 ? value / limit : 0));
  const end = share < 0 ? [0, 90, 170] : [200, 70, 0];
  return end.map((channel) => Math.round(255 + Math.abs(share) * (channel - 255))) as [
    number,
    number,
    number,
  ];
}

/** A matrix, a pixel for each number; the canvas is stretched by its style. */
export function heatMap(
  canvas: HTMLCanvasElement,
  values: Float32Array,
  rows: number,
  columns: number,
  limit: number,
): void {
  canvas.width = columns;
  canvas.height = rows;
  const scale = Math.max(1, Math.min(4, Math.floor(256 / Math.max(rows, columns))));
  canvas.style.width = `${columns * scale}px`;
  canvas.style.aspectRatio = `${columns} / ${rows}`;
  const context = canvas.getContext('2d')!;
  const image = context.createImageData(columns, rows);
  for (let i = 0; i < values.length; i++) image.data.set([...colour(values[i], limit), 255], 4 * i);
  context.putImageData(image, 0, 0);
}

export function largest(values: Float32Array): number {
  let most = 0;
  for (const value of values) most = Math.max(most, Math.abs(value));
  return most;
}

/** A number in about three digits. */
export function short(value: number): string {
  if (value === 0) return '0';
  return Math.abs(value) < 1e-3 || Math.abs(value) >= 1e4 ? value.toExponential(1) : value.toPrecision(3);
}
