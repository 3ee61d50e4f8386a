/** The picture of the README: cells as the book's notebooks print them, and as the chapters here print them. */

/** A cell, as both print it. */
export interface PrintedTwice {
  chapter: string;
  cell: number;
  what: string;
  book: string;
  ours: string;
}

/** The cells that are drawn. All of them need neither weights nor data. */
export const DRAWN: readonly (readonly [chapter: string, cell: number])[] = [
  ['chapter03', 116],
  ['chapter05', 28],
  ['chapter05', 94],
];

const FONT = 13;
const LINE = 19;
/** Of one column, in pixels. */
const WIDTH = 470;
const GAP = 20;
const PADDING = 14;

const escapeXml = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** Lines of text in a box, whose upper left corner is at (x, y); `same[i]` marks line i as equal in both columns. */
function box(lines: readonly string[], same: readonly boolean[], x: number, y: number): string {
  const height = lines.length * LINE + 2 * PADDING - 4;
  const rows = lines.map((line, i) => {
    const baseline = y + PADDING + i * LINE + FONT - 2;
    return `<text class="code${same[i] ? '' : ' other'}" x="${x + PADDING}" y="${baseline}" xml:space="preserve">${escapeXml(line)}</text>`;
  });
  return `<rect class="box" x="${x}" y="${y}" width="${WIDTH}" height="${height}" rx="6"/>${rows.join('')}`;
}

const STYLE = `
  svg { color-scheme: light dark }
  text { font-family: system-ui, sans-serif; fill: #1f2328 }
  .title { font-size: 15px; font-weight: 600 }
  .what { font-size: 12px; fill: #59636e }
  .code { font: ${FONT - 1}px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace }
  .other { fill: #c0392b }
  .box { fill: #f6f8fa; stroke: #d1d9e0 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .what { fill: #9198a1 } .other { fill: #ff7b72 } .box { fill: #151b23; stroke: #3d444d }
  }`;

/** An SVG with one row for each cell: the book's on the left, ours on the right. A line that differs is red. */
export function drawPrintedTwice(cells: readonly PrintedTwice[]): string {
  const right = WIDTH + GAP;
  const parts = [
    `<text class="title" x="0" y="18">The book’s notebook prints</text>`,
    `<text class="title" x="${right}" y="18">This project prints</text>`,
  ];
  let y = 34;
  for (const { chapter, cell, what, book, ours } of cells) {
    const [left, mine] = [book.trim().split('\n'), ours.trim().split('\n')];
    const count = Math.max(left.length, mine.length);
    const same = Array.from({ length: count }, (_, i) => left[i] === mine[i]);
    parts.push(
      `<text class="what" x="0" y="${y + 12}">${escapeXml(`cell ${cell} of ${chapter}: ${what}`)}</text>`,
    );
    parts.push(`<text class="what" x="${right}" y="${y + 12}">npm run ${chapter}</text>`);
    y += 20;
    parts.push(box(left, same, 0, y), box(mine, same, right, y));
    y += count * LINE + 2 * PADDING + 12;
  }
  const [width, height] = [2 * WIDTH + GAP, y];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="-1 -1 ${width + 2} ${height}" width="${width}" role="img" aria-label="Printed cells of the book beside the same cells printed by this project"><style>${STYLE}</style>${parts.join('\n')}</svg>\n`;
}
