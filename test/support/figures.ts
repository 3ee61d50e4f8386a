import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** A figure that the book's notebook prints: one row of test/fixtures/figures/CHAPTER.json. */
export interface Figure {
  chapter: string;
  /** The number of the notebook's cell. */
  cell: number;
  /** What it shows, in a few words. */
  what: string;
  /** What the notebook prints; a long quotation of somebody's text is cut (…) and held to its hash instead. */
  printed: string;
  /** SHA-256 of the whole of it, without white space around it. */
  sha256?: string;
  /** Data that is not in this repository, without which the figure cannot come out. */
  needs?: 'the-verdict' | 'instruction-data' | 'sms' | 'weights' | 'slow';
  /** Only the beginning of what the notebook prints is kept here. */
  cut?: boolean;
  /** Why ours is not the book's, where it cannot be. */
  differs?: string;
  /** What we print then; without it, the book's words with other numbers. */
  ours?: string;
  /** How far those numbers may be away, where the last printed digit is not what counts. */
  within?: number;
  /** Words of the notebook, and what they are called here. */
  called?: Record<string, string>;
}

/** The figures of a chapter. */
export function loadFigures(chapter: string): Figure[] {
  return JSON.parse(readFileSync(new URL(`../fixtures/figures/${chapter}.json`, import.meta.url), 'utf8'));
}

/** Numbers as Python and PyTorch write them, and the truth values. */
const NUMBER =
  /(?<![\w.])-?(?:\d[\d,]*\d|\d)(?:\.\d*)?(?:e[-+]?\d+)?%?|-?\binf\b|\bnan\b|\b(?:True|False)\b/g;

/** The name of a gradient's function is no figure: it is the name of PyTorch's own C++ class. */
const withoutGradients = (text: string) => text.replaceAll(/grad_fn=<\w+>/g, 'grad_fn');

function numbersIn(text: string): string[] {
  return withoutGradients(text).match(NUMBER) ?? [];
}

/** The words between the numbers: names of modules, captions. */
function wordsIn(text: string): string[] {
  return (
    withoutGradients(text)
      .replaceAll(NUMBER, ' ')
      .match(/[\p{L}_][\w.]*/gu) ?? []
  );
}

/** One unit of a number's last printed digit; 0 for whole numbers, which have to be equal. */
function unitOfLastPlace(number: string): number {
  const [, decimals = '', exponent = '0'] = /\.(\d*)(?:e([-+]?\d+))?%?$/.exec(number) ?? [];
  return decimals === '' ? 0 : 10 ** (Number(exponent) - decimals.length);
}

function parseNumber(number: string): number {
  const words: Record<string, number> = { inf: Infinity, '-inf': -Infinity, nan: NaN, True: 1, False: 0 };
  return words[number] ?? Number(number.replaceAll(/[,%]/g, ''));
}

function sameNumber(ours: string, books: string, within = unitOfLastPlace(books)): boolean {
  const [a, b] = [parseNumber(ours), parseNumber(books)];
  // The tolerance is that of the book's digits; a little more, for the rounding of this subtraction.
  return Object.is(a, b) || a === b || Math.abs(a - b) <= within * (1 + 1e-6);
}

/**
 * Does what we print for a cell have the book's numbers, each to one unit of its last printed digit, and its words? A
 * figure without numbers has to be the same text.
 * @returns what differs, or undefined
 */
export function compareFigure(figure: Figure, printed: string): string | undefined {
  if (figure.sha256 !== undefined) {
    const ours = createHash('sha256').update(printed.trim()).digest('hex');
    return ours === figure.sha256 ? undefined : `the text is another one: ${printed.slice(0, 80)} …`;
  }
  const books = numbersIn(figure.printed);
  const all = numbersIn(printed);
  const ours = figure.cut ? all.slice(0, books.length) : all;
  if (books.length === 0) return printed.trim() === figure.printed.trim() ? undefined : `printed ${printed}`;
  if (books.length !== ours.length) return `${ours.length} numbers, the book has ${books.length}: ${printed}`;
  const at = books.findIndex((number, i) => !sameNumber(ours[i], number, figure.within));
  return at < 0 ? compareWords(figure, printed) : `number ${at + 1} is ${ours[at]}, the book's ${books[at]}`;
}

function compareWords({ printed: book, called = {}, cut }: Figure, printed: string): string | undefined {
  const books = wordsIn(book).map((word) => called[word] ?? word);
  const ours = wordsIn(printed);
  const at = books.findIndex((word, i) => word !== ours[i]);
  if (at >= 0) return `word ${at + 1} is ${ours[at] ?? 'missing'}, the book's ${books[at]}`;
  return cut || ours.length === books.length ? undefined : `${ours[books.length]} is not in the book`;
}

/**
 * Where ours cannot be the book's: is it what it is known to be?
 * @returns what differs from that, or undefined
 */
export function compareKnownDifference(figure: Figure, printed: string): string | undefined {
  const strict = { ...figure, within: undefined };
  if (compareFigure(strict, printed) === undefined) return "it is the book's by now; take 'differs' away";
  return compareFigure({ ...figure, printed: figure.ours ?? figure.printed }, printed);
}
