/**
 * `npm run figures`: runs every chapter quietly and compares what it prints, cell by cell, with what the book's
 * notebooks print (test/fixtures/figures/*.json).
 */

import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isProgram } from '../../chapters/common/cli.ts';
import { readCommandLine, runMain } from '../../chapters/common/command-line.ts';
import { COMMON_OPTIONS, type OptionSpecs } from '../../chapters/common/options.ts';
import { formatTable } from '../../chapters/common/table.ts';
import { obtain, STORY } from '../../chapters/datasets/index.ts';
import { useBackend } from '../../lib/index.ts';
import { writeFileAtomically } from '../../lib/io/files.ts';
import { compareFigure, compareKnownDifference, type Figure, loadFigures } from '../support/figures.ts';
import { CHAPTERS, type Chapter, printedCells } from './chapters.ts';
import { DRAWN, drawPrintedTwice } from './picture.ts';

/** Where an option counts: in these chapters, or in all of them together. */
const inChapters = (...chapters: readonly Chapter[]) => [{ chapter: [undefined, ...chapters] }];

export const OPTIONS = {
  text: {
    type: 'path',
    access: 'read',
    help: 'a local copy of the-verdict.txt',
    placeholder: 'PATH',
    counts: inChapters('chapter02', 'chapter05', 'appendixD'),
  },
  data: {
    type: 'path',
    access: 'read',
    help: 'a local copy of SMSSpamCollection',
    placeholder: 'PATH',
    counts: inChapters('chapter06', 'appendixE'),
  },
  instructions: {
    type: 'path',
    access: 'read',
    help: 'a local copy of instruction-data.json',
    placeholder: 'PATH',
    counts: inChapters('chapter07'),
  },
  weights: {
    type: 'path',
    access: 'read',
    help: "OpenAI's weights of GPT-2 small, a safetensors file",
    placeholder: 'PATH',
    counts: inChapters('chapter05', 'chapter06', 'appendixE'),
  },
  slow: {
    type: 'boolean',
    help: 'with the trainings of the 124M model',
    counts: inChapters('chapter05', 'appendixD'),
  },
  chapter: { type: 'choice', help: 'this chapter alone', choices: CHAPTERS },
  backend: COMMON_OPTIONS.backend,
  threads: COMMON_OPTIONS.threads,
  json: { type: 'path', access: 'writeFile', help: 'write the rows to this file', placeholder: 'FILE' },
  picture: {
    type: 'path',
    access: 'writeFile',
    help: "draw three cells of chapters 3 and 5 beside the book's: an SVG",
    placeholder: 'FILE',
    counts: inChapters('chapter03', 'chapter05'),
  },
} as const satisfies OptionSpecs;

type Outcome = 'match' | 'weights' | 'slow' | 'data' | 'differs' | 'wrong';

interface Row {
  figure: Figure;
  printed: string;
  outcome: Outcome;
  why?: string;
}

const WHY_MISSING: Record<NonNullable<Figure['needs']>, { outcome: Outcome; why: string }> = {
  weights: { outcome: 'weights', why: "needs OpenAI's weights: --weights PATH" },
  slow: { outcome: 'slow', why: 'takes a quarter of an hour: --slow' },
  'the-verdict': { outcome: 'data', why: 'needs The Verdict: --text PATH' },
  sms: { outcome: 'data', why: 'needs the SMS Spam Collection: --data PATH' },
  'instruction-data': { outcome: 'data', why: 'needs the instruction data: --instructions PATH' },
};

/** What was there for the cells that need something; The Verdict and the like may also have been downloaded. */
type Available = Record<NonNullable<Figure['needs']>, boolean>;

function judge(figure: Figure, printed: string | undefined, available: Available): Row {
  const missing = figure.needs && !available[figure.needs];
  if (missing) {
    // What came out without it is another model's or another text's figure: not to be taken for this one.
    return { figure, printed: '', ...WHY_MISSING[figure.needs!] };
  }
  const compare = figure.differs ? compareKnownDifference : compareFigure;
  const difference = printed === undefined ? 'not printed' : compare(figure, printed);
  const row = { figure, printed: printed ?? '' };
  if (difference !== undefined) return { ...row, outcome: 'wrong', why: difference };
  return figure.differs ? { ...row, outcome: 'differs', why: figure.differs } : { ...row, outcome: 'match' };
}

/** The first line of a figure that has a number, short enough for the table. */
function brief(text: string): string {
  const lines = text.trim().split(/\n+/);
  const line = (lines.find((candidate) => /\d/.test(candidate)) ?? lines[0]).trim();
  if (line.length > 34) return `${line.slice(0, 33)}…`;
  return lines.length > 1 ? `${line} …` : line;
}

const SHOWN: Record<Outcome, string> = {
  match: 'yes',
  weights: '– weights',
  slow: '– slow',
  data: '– data',
  differs: 'no, explained',
  wrong: 'NO',
};

function showChapter(chapter: Chapter, rows: readonly Row[]): void {
  console.log(`\n${chapter}`);
  const lines = rows.map(({ figure, printed, outcome }) => [
    String(figure.cell),
    figure.what,
    brief(figure.printed),
    brief(printed),
    SHOWN[outcome],
  ]);
  console.log(formatTable(['cell', 'what it is', 'the book', 'ours', 'match'], lines));
  const explained = rows.filter(({ outcome }) => outcome === 'differs' || outcome === 'wrong');
  for (const { figure, why } of explained) console.log(`  cell ${figure.cell}: ${why}`);
}

function showTotals(rows: readonly Row[]): void {
  const count = (outcome: Outcome) => rows.filter((row) => row.outcome === outcome).length;
  console.log(`\n${count('match')} of ${rows.length} figures are the book's`);
  const others: [Outcome, string][] = [
    ['weights', "need OpenAI's weights (--weights)"],
    ['slow', 'take long (--slow)'],
    ['data', 'need a text or data that is not here'],
    ['differs', 'differ for a reason that is written down'],
    ['wrong', 'differ without a reason'],
  ];
  for (const [outcome, text] of others) if (count(outcome) > 0) console.log(`${count(outcome)} ${text}`);
}

if (isProgram(import.meta.url)) {
  await runMain(async () => {
    const options = await readCommandLine({
      command: 'npm run figures --',
      summary: "Compares every figure that the chapters print with the book's.",
      options: OPTIONS,
    });
    const chosen = options.chapter ? [options.chapter] : CHAPTERS;
    const available: Available = {
      weights: options.weights !== undefined,
      slow: options.slow,
      'the-verdict': (await obtain(STORY, { path: options.text, print: () => {} })).isOriginal,
      // Where these two are not given or to be downloaded, the run itself says so below.
      sms: options.data !== undefined,
      'instruction-data': options.instructions !== undefined,
    };
    await useBackend(options.backend, { threads: options.threads });

    const rows: Row[] = [];
    for (const chapter of chosen) {
      const start = performance.now();
      const cells = await printedCells(chapter, { ...options, out: join(tmpdir(), 'llms-figures') });
      // Chapter 7 has GPT-2 medium, and --weights the small one.
      const there = chapter === 'chapter07' ? { ...available, weights: false } : available;
      const own = loadFigures(chapter).map((figure) => judge(figure, cells.get(figure.cell), there));
      showChapter(chapter, own);
      console.log(`  ${((performance.now() - start) / 1000).toFixed(0)} s`);
      rows.push(...own);
    }
    showTotals(rows);
    if (options.json) {
      const written = rows.map(({ figure, printed, outcome, why }) => ({
        chapter: figure.chapter,
        cell: figure.cell,
        printed,
        match: outcome === 'match',
        ...(why && { why }),
      }));
      await writeFileAtomically(options.json, `${JSON.stringify(written, null, 1)}\n`);
    }
    if (options.picture) {
      const drawn = rows.filter(({ figure }) =>
        DRAWN.some(([chapter, cell]) => chapter === figure.chapter && cell === figure.cell),
      );
      const cells = drawn.map(({ figure, printed }) => ({ ...figure, book: figure.printed, ours: printed }));
      await writeFileAtomically(options.picture, drawPrintedTwice(cells));
    }
    if (rows.some(({ outcome }) => outcome === 'wrong')) process.exitCode = 1;
  });
}
