import * as appendixA from '../../chapters/appendixA/run.ts';
import * as appendixD from '../../chapters/appendixD/run.ts';
import { freezeAndWrap } from '../../chapters/appendixE/04-fine-tuning-with-lora.ts';
import * as appendixE from '../../chapters/appendixE/run.ts';
import * as chapter02 from '../../chapters/chapter02/run.ts';
import * as chapter03 from '../../chapters/chapter03/run.ts';
import * as chapter04 from '../../chapters/chapter04/run.ts';
import { obtainModel } from '../../chapters/chapter05/index.ts';
import * as chapter05 from '../../chapters/chapter05/run.ts';
import { replaceHead } from '../../chapters/chapter06/index.ts';
import * as chapter06 from '../../chapters/chapter06/run.ts';
import * as chapter07 from '../../chapters/chapter07/run.ts';
import { Notebook } from '../../chapters/common/notebook.ts';

export const CHAPTERS = [
  'chapter02',
  'chapter03',
  'chapter04',
  'chapter05',
  'chapter06',
  'chapter07',
  'appendixA',
  'appendixD',
  'appendixE',
] as const;

export type Chapter = (typeof CHAPTERS)[number];

export interface RunOptions {
  text: string | undefined;
  data: string | undefined;
  instructions: string | undefined;
  weights: string | undefined;
  slow: boolean;
  /** Folder for plots and other output. */
  out: string;
}

/** The settings of the book for chapter 6 and appendix E, which differ from our defaults in the seed and the model. */
function bookSettings({ data, weights, out }: RunOptions) {
  const model = weights ? ('gpt2-small' as const) : ('mini' as const);
  return {
    ...{
      data,
      weights,
      out,
      model,
      randomWeights: !weights,
      maxLength: undefined,
      lr: undefined,
      modules: false,
    },
    ...{ rank: 16, alpha: 16, classWeights: 'none' as const, keep: 'last' as const },
    ...{ batchSize: 8, seed: 123, epochs: weights ? 5 : 0 },
  };
}

const RUNS: Record<Chapter, (notebook: Notebook, options: RunOptions) => void | Promise<void>> = {
  chapter02: (notebook, { text }) => chapter02.run(notebook, { text }),
  chapter03: (notebook) => chapter03.run(notebook),
  chapter04: (notebook, { out }) => chapter04.run(notebook, { out }),
  chapter05: (notebook, options) => chapter05.run(notebook, { ...options, model: 'gpt2-small' }),
  chapter06: async (notebook, options) => {
    await chapter06.run(notebook, { ...bookSettings(options), method: 'last-block', plain: false });
    if (!options.weights) await gpt2Modules(notebook);
  },
  chapter07: (notebook, options) => chapter07.run(notebook, chapter7Settings(options)),
  appendixA: (notebook, { out }) => appendixA.run(notebook, { out }),
  appendixD: (notebook, options) => appendixD.run(notebook, { ...options, epochs: 15, seed: 123 }),
  appendixE: async (notebook, options) => {
    await appendixE.run(notebook, bookSettings(options));
    if (!options.weights) await gpt2Wrapped(notebook);
  },
};

/** Chapter 7 without GPT-2 medium: what depends on its weights is not compared, so nothing is trained. */
function chapter7Settings({ instructions, out }: RunOptions): Parameters<typeof chapter07.run>[1] {
  return {
    ...{ data: instructions, weights: undefined, randomWeights: true, model: 'mini', method: 'full', out },
    ...{ rank: 16, alpha: 16, lr: undefined, epochs: 0, batchSize: 8, seed: 123, slow: false },
    ...{ evalFreq: undefined, maxNewTokens: 1, answers: 3 },
  };
}

/** GPT-2 small with random weights: its modules and counts are those of the trained one. */
const randomGpt2 = () => obtainModel({ model: 'gpt2-small', randomWeights: true });

async function gpt2Modules(notebook: Notebook): Promise<void> {
  notebook.print(53, await randomGpt2());
}

async function gpt2Wrapped(notebook: Notebook): Promise<void> {
  const model = await randomGpt2();
  replaceHead(model, 123);
  freezeAndWrap(notebook, model, { rank: 16, alpha: 16 });
}

/** What a chapter prints, by cell. Where a cell is printed twice the second counts. */
export async function printedCells(chapter: Chapter, options: RunOptions): Promise<Map<number, string>> {
  const notebook = new Notebook(chapter, () => {});
  await RUNS[chapter](notebook, options);
  return new Map(notebook.cells.map(({ cell, printed }) => [cell, printed]));
}
