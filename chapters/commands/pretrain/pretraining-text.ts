import { io, random, UserError } from '../../../lib/index.ts';
import { END_OF_TEXT, END_OF_TEXT_ID, tokeniser } from '../../chapter02/index.ts';
import { createBalancedDataset, randomSplit } from '../../chapter06/index.ts';
import { parseSms, readText } from '../../datasets/index.ts';

/** Every split whose validation and test messages the model must never have seen. */
const SPLIT_SEEDS = [42, 123];

/** Something to learn from, and how often a window is taken from it. */
export interface Source {
  name: string;
  share: number;
  /** How many tokens it has. */
  tokens: number;
  /** All the ids that it uses. */
  ids(): Iterable<number>;
  /** A stretch of `length` ids. */
  draw(random: random.Generator, length: number): Int32Array;
}

/**
 * A long text file as token ids. Paragraph by paragraph: a novel as one string is slow to encode. `<|endoftext|>`
 * may stand between two books.
 * @throws UserError if the file is missing or not UTF-8
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

/** Messages that differ only in case, punctuation, spaces and which digits they have count as the same. */
export function sameness(text: string): string {
  return text
    .toLowerCase()
    .replace(/\d/g, '0')
    .replace(/[^\p{L}0]/gu, '');
}

/**
 * The messages of an SMS collection as token ids, ordinary ones and spam, in an order drawn with the seed: without
 * every message, and every duplicate of one, that is in the validation or test part under any of the seeds used here.
 */
export async function readMessages(
  path: string,
  seed: number,
): Promise<{ ham: Int32Array[]; spam: Int32Array[] }> {
  const rows = parseSms(await io.readFileOrExplain(path, 'the messages to train on'), path);
  const heldOut = new Set<string>();
  for (const splitSeed of SPLIT_SEEDS) {
    const { validation, test } = randomSplit(createBalancedDataset(rows, splitSeed), 0.7, 0.1, splitSeed);
    for (const row of [...validation, ...test]) heldOut.add(sameness(row.text));
  }
  const allowed = rows.filter((row) => !heldOut.has(sameness(row.text)));
  const order = new random.Generator(seed).randperm(allowed.length);
  const shuffled = Array.from(order, (position) => allowed[position]);
  const encoded = (label: string) =>
    shuffled.filter((row) => row.label === label).map((row) => Int32Array.from(tokeniser.encode(row.text)));
  return { ham: encoded('ham'), spam: encoded('spam') };
}

/** A text, of which a window is any stretch. */
export function textSource(name: string, share: number, ids: Int32Array): Source {
  return {
    name,
    share,
    tokens: ids.length,
    ids: () => ids,
    draw: (random, length) => {
      const [start] = random.randint(1, 0, ids.length - length + 1);
      return ids.slice(start, start + length);
    },
  };
}

/** This share of messages is separated by one end-of-text; the others by as many as chapter 6 would pad with. */
const CLOSE = 0.5;
const MOST_PADDING = 100;

/**
 * Messages of one kind, of which a window is several, each drawn anew. They are separated by one end-of-text or by a
 * run of them, such as chapter 6 pads with: a model that has to guess the next message from there learns to carry
 * through the padding what kind of message came before it.
 */
export function messageSource(name: string, share: number, messages: readonly Int32Array[]): Source {
  return {
    name,
    share,
    tokens: messages.reduce((sum, message) => sum + message.length, 0),
    *ids() {
      for (const message of messages) yield* message;
    },
    draw: (random, length) => {
      const window = new Int32Array(length).fill(END_OF_TEXT_ID);
      for (let at = 0; at < length; ) {
        const message = messages[random.randint(1, 0, messages.length)[0]];
        window.set(message.subarray(0, length - at), at);
        at += message.length + 1;
        if (random.nextDouble() > CLOSE) at += random.randint(1, 0, MOST_PADDING)[0];
      }
      return window;
    },
  };
}

/**
 * Splits off the last fiftieth, to measure the loss on.
 * @param needed how many, of tokens or messages, the held-out part must have
 * @throws UserError if it would have fewer
 */
export function holdOut<T extends { length: number; slice(from: number, to?: number): T }>(
  all: T,
  what: string,
  needed: number,
): { train: T; heldOut: T } {
  const count = Math.floor(all.length / 50);
  if (count < needed) {
    const enough = (50 * needed).toLocaleString('en');
    throw new UserError(
      `${all.length} ${what} are too few to train on: a fiftieth of them is held out, so ${enough} are needed`,
    );
  }
  return { train: all.slice(0, all.length - count), heldOut: all.slice(all.length - count) };
}

/**
 * Windows of `length` ids for one step. They depend only on the seed and the step, so that training goes on where it
 * stopped with the batches it would have had.
 */
export function drawWindows(
  sources: readonly Source[],
  count: number,
  length: number,
  seed: number,
  step: number,
): Int32Array[] {
  const generator = new random.Generator(seed + step);
  const total = sources.reduce((sum, source) => sum + source.share, 0);
  return Array.from({ length: count }, () => {
    let choice = generator.nextDouble() * total;
    const source = sources.find(({ share }) => (choice -= share) < 0) ?? sources[sources.length - 1];
    return source.draw(generator, length);
  });
}
