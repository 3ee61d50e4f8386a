import { manualSeed, nn, type Tensor, tensor } from '../../lib/index.ts';
import { isProgram, runChapter } from '../common/cli.ts';
import { type Notebook, torchSize } from '../common/notebook.ts';
import { repr, tuple } from '../common/python.ts';
import { type Obtained, obtain, STORY, TEXT_OPTION } from '../datasets/index.ts';
import { AT_COMMAS, AT_PUNCTUATION, AT_SPACES, splitWords, withoutSpaces } from './01-splitting.ts';
import { buildVocabulary, SimpleTokeniserV1, type Vocabulary } from './02-simple-tokeniser.ts';
import { SimpleTokeniserV2, withSpecialTokens } from './03-special-tokens.ts';
import { tokeniser } from './04-gpt2-tokeniser.ts';
import { BytePairTokeniser } from './05-bpe-from-scratch.ts';
import { gpt2FromTokens } from './05-bpe-gpt2.ts';
import { createDataloaderV1 } from './06-sliding-window.ts';
import { InputEmbedding } from './07-embeddings.ts';
import { END_OF_TEXT } from './gpt2-vocabulary.ts';

/** Prints what the notebook of chapter 2 prints, in its order. */
export async function run(nb: Notebook, options: { text?: string } = {}): Promise<void> {
  const story = await obtain(STORY, { path: options.text, print: (line) => nb.note(line) });
  nb.figure('text', story.source);
  const words = splitting(nb, story);
  const vocabulary = ids(nb, words, story);
  specialTokens(nb, vocabulary);
  gpt2(nb);
  bytePairs(nb, story);
  slidingWindow(nb, story);
  embeddings(nb);
  positions(nb, story);
}

function splitting(nb: Notebook, story: Obtained<string>): string[] {
  nb.section('2.2 Tokenizing text');
  nb.print(18, 'Total number of character:', [...story.data].length);
  nb.print(18, story.data.slice(0, 99));
  let pieces = 'Hello, world. This, is a test.'.split(AT_SPACES);
  nb.print(20, repr(pieces));
  pieces = 'Hello, world. This, is a test.'.split(AT_COMMAS);
  nb.print(22, repr(pieces));
  nb.print(24, repr(withoutSpaces(pieces)));
  nb.print(26, repr(withoutSpaces('Hello, world. Is this-- a test?'.split(AT_PUNCTUATION))));
  const words = splitWords(story.data);
  nb.print(29, repr(words.slice(0, 30)));
  nb.print(31, words.length);
  return words;
}

function ids(nb: Notebook, words: readonly string[], story: Obtained<string>): Vocabulary {
  nb.section('2.3 Converting tokens into token IDs');
  const vocabulary = buildVocabulary(words);
  nb.print(36, vocabulary.size);
  for (const [word, id] of [...vocabulary].slice(0, 51)) nb.print(39, tuple(word, id));
  const v1 = new SimpleTokeniserV1(vocabulary);
  const sentence = v1.encode(
    story.isOriginal
      ? '"It\'s the last he painted, you know," Mrs. Gisburn said with pardonable pride.'
      : words.slice(0, 21).join(' '),
  );
  nb.print(47, repr(sentence));
  nb.print(49, v1.decode(sentence));
  nb.print(50, v1.decode(v1.encode(v1.decode(sentence))));
  return vocabulary;
}

function specialTokens(nb: Notebook, vocabulary: Vocabulary): void {
  nb.section('2.4 Adding special context tokens');
  const question = 'Hello, do you like tea. Is this-- a test?';
  try {
    new SimpleTokeniserV1(vocabulary).encode(question);
  } catch (error) {
    nb.print(58, (error as Error).message);
  }
  const extended = withSpecialTokens(vocabulary);
  nb.print(61, extended.size);
  for (const [word, id] of [...extended].slice(-5)) nb.print(62, tuple(word, id));
  const v2 = new SimpleTokeniserV2(extended);
  const text = `Hello, do you like tea? ${END_OF_TEXT} In the sunlit terraces of the palace.`;
  nb.print(66, text);
  nb.print(67, repr(v2.encode(text)));
  nb.print(68, v2.decode(v2.encode(text)));
}

function gpt2(nb: Notebook): void {
  nb.section('2.5 BytePair encoding');
  const text = `Hello, do you like tea? ${END_OF_TEXT} In the sunlit terracesof someunknownPlace.`;
  const encoded = tokeniser.encode(text, { allowedSpecial: [END_OF_TEXT] });
  nb.print(74, repr(encoded));
  nb.print(75, tokeniser.decode(encoded));
}

/** Not in the notebook: the tokeniser built by hand, with merges of its own and with GPT-2's. */
function bytePairs(nb: Notebook, story: Obtained<string>): void {
  nb.section('Byte pair encoding from scratch');
  const text = 'Hello, do you like tea? In the sunlit terracesof someunknownPlace.';
  const own = BytePairTokeniser.train(story.data, 1000);
  const learnt = own.merges.slice(0, 10).map((_, n) => own.decode([256 + n]));
  nb.note(`${own.merges.length} merges learnt from the story; the first ten make ${repr(learnt)}`);
  nb.note(`the story in those:  ${own.encode(story.data).length} tokens`);
  const byHand = gpt2FromTokens();
  const encoded = byHand.encode(story.data);
  nb.note(`the story in GPT-2's: ${encoded.length} tokens`);
  const pieces = byHand.encode(text).map((id) => byHand.decode([id]));
  nb.note(`“${text}” in GPT-2's: ${repr(pieces)}`);
  const same = repr(encoded) === repr(tokeniser.encode(story.data));
  nb.note(`built by hand and gpt-tokenizer ${same ? 'agree' : 'DIFFER'} on the story`);
  nb.figure('bpeAgrees', same);
}

function slidingWindow(nb: Notebook, story: Obtained<string>): void {
  nb.section('2.6 Data sampling with a sliding window');
  const encoded = tokeniser.encode(story.data);
  nb.print(81, encoded.length);
  const sample = encoded.slice(50);
  const contextSize = 4;
  nb.print(84, `x: ${repr(sample.slice(0, contextSize))}`);
  nb.print(84, `y:      ${repr(sample.slice(1, contextSize + 1))}`);
  for (let i = 1; i <= contextSize; i++) nb.print(86, repr(sample.slice(0, i)), '---->', sample[i]);
  for (let i = 1; i <= contextSize; i++) {
    nb.print(87, tokeniser.decode(sample.slice(0, i)), '---->', tokeniser.decode([sample[i]]));
  }
  const options = { batchSize: 1, maxLength: 4, stride: 1, shuffle: false };
  const batches = createDataloaderV1(story.data, options)[Symbol.iterator]();
  nb.print(97, repr(batches.next().value));
  nb.print(98, repr(batches.next().value));
  const [inputs, targets] = firstBatch(story.data);
  nb.print(102, `Inputs:\n ${inputs}`);
  nb.print(102, `\nTargets:\n ${targets}`);
}

/** Eight pieces of four tokens each that do not overlap: inputs and targets [8, 4]. */
function firstBatch(text: string): [Tensor, Tensor] {
  const loader = createDataloaderV1(text, { batchSize: 8, maxLength: 4, stride: 4, shuffle: false });
  const [batch] = loader;
  return batch;
}

function embeddings(nb: Notebook): void {
  nb.section('2.7 Creating token embeddings');
  manualSeed(123);
  const layer = new nn.Embedding(6, 3);
  nb.print(111, layer.weight);
  nb.print(114, layer.forward(tensor([3], { dtype: 'int32' })));
  nb.print(116, layer.forward(tensor([2, 3, 5, 1], { dtype: 'int32' })));
}

function positions(nb: Notebook, story: Obtained<string>): void {
  nb.section('2.8 Encoding word positions');
  const [inputs] = firstBatch(story.data); // [8, 4]
  const embedding = new InputEmbedding(tokeniser.vocabSize, 4, 256);
  nb.print(129, `Token IDs:\n ${inputs}`);
  nb.print(129, `\nInputs shape:\n ${torchSize(inputs.shape)}`);
  nb.print(130, torchSize(embedding.tokens.forward(inputs).shape));
  nb.print(133, torchSize(embedding.positions.weight.shape));
  nb.print(135, torchSize(embedding.forward(inputs).shape));
}

if (isProgram(import.meta.url)) {
  await runChapter({
    chapter: 'chapter02',
    summary: 'Turns a text into what a language model reads: tokens, ids, batches, vectors.',
    options: TEXT_OPTION,
    run,
  });
}
