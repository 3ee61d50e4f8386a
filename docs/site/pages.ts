/** The pages of the site, in reading order: each is a page of the repository. */

import type { PictureName } from './pictures/pictures.ts';

export interface Page {
  /** The file in the repository. */
  source: string;
  /** Its address, without `.html`. */
  name: string;
  /** Its title in the list of pages. */
  title: string;
  /** The command that runs it. */
  chapter?: string;
  /** What a reader should know before running it. */
  before?: string;
  /** What comes before the text: the names of panels. */
  panels?: readonly string[];
  /** Then comes its picture. */
  picture?: PictureName;
}

export const PAGES: readonly Page[] = [
  {
    source: 'chapters/appendixA/README.md',
    name: 'appendixA',
    title: 'A: the library',
    chapter: 'appendixA',
    picture: 'graph',
  },
  {
    source: 'chapters/chapter02/README.md',
    name: 'chapter02',
    title: '2: from text to vectors',
    chapter: 'chapter02',
    picture: 'tokens',
  },
  {
    source: 'chapters/chapter03/README.md',
    name: 'chapter03',
    title: '3: attention',
    chapter: 'chapter03',
    picture: 'attention',
  },
  {
    source: 'chapters/chapter04/README.md',
    name: 'chapter04',
    title: '4: a GPT',
    chapter: 'chapter04',
    picture: 'blocks',
  },
  {
    source: 'chapters/chapter05/README.md',
    name: 'chapter05',
    title: '5: pretraining',
    chapter: 'chapter05',
    picture: 'next',
  },
  {
    source: 'chapters/chapter06/README.md',
    name: 'chapter06',
    title: '6: a classifier',
    chapter: 'chapter06',
  },
  {
    source: 'chapters/chapter07/README.md',
    name: 'chapter07',
    title: '7: instructions',
    chapter: 'chapter07',
  },
  {
    source: 'chapters/appendixD/README.md',
    name: 'appendixD',
    title: 'D: learning rates',
    chapter: 'appendixD',
    picture: 'schedule',
  },
  { source: 'chapters/appendixE/README.md', name: 'appendixE', title: 'E: LoRA', chapter: 'appendixE' },
  { source: 'docs/site/lab.md', name: 'lab', title: 'The LoRA lab', panels: ['lab'] },
  {
    source: 'chapters/llama/README.md',
    name: 'llama',
    title: 'From GPT-2 to Llama',
    chapter: 'llama',
    before:
      'Without --weights it downloads SmolLM2-135M-Instruct from the Hugging Face hub: 272 MB. This page forgets it when the run ends.',
  },
  {
    source: 'chapters/gemma/README.md',
    name: 'gemma',
    title: 'From Llama to Gemma 3',
    chapter: 'gemma',
  },
  { source: 'chapters/models/mini/README.md', name: 'mini', title: 'The model mini' },
  { source: 'chapters/commands/compare/README.md', name: 'compare', title: 'What is trained, side by side' },
  { source: 'chapters/datasets/README.md', name: 'datasets', title: 'The data sets' },
  { source: 'docs/engine.md', name: 'engine', title: 'The CPU engine' },
  { source: 'docs/backends.md', name: 'backends', title: 'Which engine' },
  { source: 'docs/benchmarks.md', name: 'benchmarks', title: 'Benchmarks' },
  { source: 'docs/results.md', name: 'results', title: 'What is trained: the table' },
  {
    source: 'docs/results-stand-in.md',
    name: 'results-stand-in',
    title: 'The same, on the stand-in',
  },
  { source: 'docs/randomness.md', name: 'randomness', title: 'Randomness' },
  { source: 'docs/outgrowing.md', name: 'outgrowing', title: 'Over many GPUs' },
  { source: 'docs/troubleshooting.md', name: 'troubleshooting', title: 'Questions and troubles' },
  { source: 'docs/teaching.md', name: 'teaching', title: 'With a class' },
  { source: 'README.md', name: 'about', title: 'The project' },
];

/** The page that is opened first. */
export const START: Page = {
  source: 'docs/site/start.md',
  name: 'index',
  title: 'Start',
  panels: ['classify'],
};
