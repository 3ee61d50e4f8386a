import { UserError } from '../../lib/index.ts';
import { readFileOrExplain } from '../../lib/io/files.ts';
import { Generator } from '../../lib/random/index.ts';
import { END_OF_TEXT, END_OF_TEXT_ID, tokeniser } from '../chapter02/index.ts';
import { createBalancedDataset, randomSplit } from '../chapter06/02-preparing-the-dataset.ts';
import { parseSms, readText } from '../datasets/index.ts';

/** Every split whose validation and test messages the model must never have seen. */
const SPLIT_SEEDS = [42, 123];

/**
 * A long text file as token ids. Paragraph by paragraph: a novel as one string is slow to encode. `<|endoftext|>`
 * may stand between two books.
 */
export async function readBook(path: string): Promise<Int32Array> {
  const text = await readText(path, 'the text to train on');
  const allowed = { allowedSpecial: [END_OF_TEXT] };
  const ids: number[] = [];
  for (const paragraph of text.split(/(?<=\n\n)/)) {
    for (const id of tokeniser.encode(paragraph, allowed)) ids.push(id);
  }
  return Int32Array.from(ids);
}

/**
 * The ordinary (ham) messages of an SMS collection as token ids, without every message, and every duplicate of
 * one, that is in the validation or test part under any of the seeds used here.
 */
export async function readMessages(path: string, shuffleSeed: number): Promise<Int32Array> {
  const rows = parseSms(await readFileOrExplain(path, 'the messages to train on'), path);
  const heldOut = new Set<string>();
  for (const seed of SPLIT_SEEDS) {
    const { validation, test } = randomSplit(createBalancedDataset(rows, seed), 0.7, 0.1, seed);
    for (const row of [...validation, ...test]) heldOut.add(row.text);
  }
  const ham = rows.filter((row) => row.label === 'ham' && !heldOut.has(row.text));
  const order = new Generator(shuffleSeed).randperm(ham.length);
  const ids: number[] = [];
  for (const position of order) ids.push(...tokeniser.encode(ham[position].text), END_OF_TEXT_ID);
  return Int32Array.from(ids);
}

/** A stretch of text to learn from, and how often it is chosen. */
export interface Source {
  name: string;
  ids: Int32Array;
  share: number;
}

/** Splits the end of a text off, to measure the loss on. */
export function holdOut(ids: Int32Array, tokens: number): { train: Int32Array; heldOut: Int32Array } {
  if (ids.length < 2 * tokens) throw new UserError(`a text of ${ids.length} tokens is too short to train on`);
  return { train: ids.subarray(0, ids.length - tokens), heldOut: ids.subarray(ids.length - tokens) };
}

/**
 * Windows of `length` + 1 ids for one step. They depend on the seed and the step alone, so that training goes on
 * where it stopped with the batches it would have had.
 */
export function drawWindows(
  sources: readonly Source[],
  count: number,
  length: number,
  seed: number,
  step: number,
): Int32Array[] {
  const random = new Generator(seed + step);
  const total = sources.reduce((sum, source) => sum + source.share, 0);
  return Array.from({ length: count }, () => {
    let choice = random.nextDouble() * total;
    const source = sources.find(({ share }) => (choice -= share) < 0) ?? sources[sources.length - 1];
    const [start] = random.randint(1, 0, source.ids.length - length);
    return source.ids.subarray(start, start + length + 1);
  });
}
