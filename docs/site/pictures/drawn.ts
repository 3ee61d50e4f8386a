/** What a picture is before it is on a page: elements as plain data, which a worker can send and a test can read. */

import { type Tensor, UserError } from '../../../lib/index.ts';
import { colour, short } from '../client/draw.ts';

export interface Drawn {
  tag: string;
  attributes: Record<string, string | number>;
  children: readonly (Drawn | string)[];
}

export function drawn(
  tag: string,
  attributes: Drawn['attributes'] = {},
  ...children: (Drawn | string)[]
): Drawn {
  return { tag, attributes, children };
}

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escaped = (text: string): string => text.replaceAll(/[&<>"]/g, (char) => ESCAPES[char]);

export function htmlOf(picture: Drawn | string): string {
  if (typeof picture === 'string') return escaped(picture);
  const { tag, attributes, children } = picture;
  const words = Object.entries(attributes).map(([name, value]) => ` ${name}="${escaped(String(value))}"`);
  return `<${tag}${words.join('')}>${children.map(htmlOf).join('')}</${tag}>`;
}

/** A picture of lines and boxes that a screen reader takes for one image, with these words. */
export function svg(label: string, width: number, height: number, ...children: Drawn[]): Drawn {
  const attributes = { role: 'img', 'aria-label': label, viewBox: `0 0 ${width} ${height}` };
  return drawn('svg', { ...attributes, style: `width: ${width}px` }, ...children);
}

/**
 * A matrix [rows, columns] as cells, blue below zero and orange above. Row i is linked with whatever else has the link i.
 * @param limit the number that has the full colour
 */
export function heatMap(name: string, matrix: Tensor, limit: number, cell: number): Drawn {
  const [rows, columns] = matrix.shape;
  const lines = (matrix.toArray() as number[][]).map((row, i) => {
    const cells = row.map((value, j) =>
      drawn(
        'rect',
        { x: j * cell, y: i * cell, width: cell, height: cell, fill: fillOf(value, limit) },
        drawn('title', {}, `row ${i}, column ${j}: ${short(value)}`),
      ),
    );
    return drawn('g', { 'data-link': i }, ...cells);
  });
  const caption = `${name} [${rows}, ${columns}], full colour at ${short(limit)}`;
  const map = svg(`${name}, ${rows} × ${columns}`, columns * cell, rows * cell, ...lines);
  return drawn('figure', {}, map, drawn('figcaption', {}, caption));
}

/** What is hidden, at −∞, has no colour of the scale. */
function fillOf(value: number, limit: number): string {
  return value === Number.NEGATIVE_INFINITY ? '#8888' : `rgb(${colour(value, limit).join(' ')})`;
}

/** A token as one reads it: its spaces and line ends made visible. */
export function visible(text: string): string {
  return text.replaceAll(' ', '␣').replaceAll('\n', '↵').replaceAll('\t', '⇥');
}

/** @throws UserError if there is nothing to draw */
export function requireSome(text: string): void {
  if (text.trim() === '') throw new UserError('there is nothing to draw: type a text');
}
