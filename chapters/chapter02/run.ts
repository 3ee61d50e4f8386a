import { isProgram, runChapter } from '../common/cli.ts';
import type { Notebook } from '../common/notebook.ts';
import { obtain, STORY, TEXT_OPTION } from '../datasets/index.ts';
import { showSplitting } from './02-splitting.ts';
import { showSimpleTokeniser } from './03-simple-tokeniser.ts';
import { showSpecialTokens } from './04-special-tokens.ts';
import { showGpt2Tokeniser } from './05-gpt2-tokeniser.ts';
import { showSlidingWindow } from './06-sliding-window.ts';
import { showTokenEmbeddings } from './07-token-embeddings.ts';
import { showPositions } from './08-positions.ts';
import { showBytePairs } from './09-byte-pair-encoding.ts';
import { gpt2FromTokens } from './gpt2-merges.ts';

/** Chapter 2 from a text to vectors. */
export async function run(nb: Notebook, options: { text?: string } = {}): Promise<void> {
  const story = await obtain(STORY, { path: options.text, print: (line) => nb.note(line) });
  nb.figure('text', story.source);
  const text = story.data;

  nb.section('2.2 Tokenising text');
  const words = showSplitting(nb, text);

  nb.section('2.3 Converting tokens into token IDs');
  const vocabulary = showSimpleTokeniser(nb, words, story.isOriginal);

  nb.section('2.4 Adding special context tokens');
  showSpecialTokens(nb, vocabulary);

  nb.section('2.5 Byte pair encoding');
  showGpt2Tokeniser(nb);

  nb.section('2.6 Data sampling with a sliding window');
  showSlidingWindow(nb, text);

  nb.section('2.7 Creating token embeddings');
  showTokenEmbeddings(nb);

  nb.section('2.8 Encoding word positions');
  showPositions(nb, text);

  nb.section('Byte pair encoding from scratch');
  showBytePairs(nb, text, gpt2FromTokens());
}

if (isProgram(import.meta.url)) {
  await runChapter({
    chapter: 'chapter02',
    summary: 'Turns a text into what a language model reads: tokens, ids, batches, vectors.',
    options: TEXT_OPTION,
    run,
  });
}
