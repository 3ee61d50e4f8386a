import { io, random, UserError } from '../../lib/index.ts';
import type { Notebook } from '../common/notebook.ts';
import { formatCounts, formatFrame } from '../common/pandas.ts';
import { fingerprint, fingerprintOfWeights } from '../common/training.ts';
import {
  isFolder,
  type LabelledText,
  MESSAGES,
  type Message,
  ORIGINAL_ROWS,
  obtain,
  type Parts,
  readParts,
} from '../datasets/index.ts';
import { copiesInWords, isOwnData, type OwnDataOptions, ownParts, prepareOwnData } from './own-data.ts';
import { DEFAULT_SEED, randomSplit } from './split.ts';

/**
 * As many messages of one kind as of the other: some of the more frequent kind are drawn with the seed, then all
 * of the others follow in their own order. With more ham than spam, as in the collection, that is
 * `pd.concat([ham.sample(num_spam, random_state=seed), spam])`, row for row.
 *
 * @throws UserError if one kind is missing
 */
export function createBalancedDataset(messages: readonly Message[], seed = DEFAULT_SEED): Message[] {
  const ham = messages.filter((message) => message.label === 'ham');
  const spam = messages.filter((message) => message.label === 'spam');
  if (spam.length === 0 || ham.length === 0) {
    throw new UserError(
      `cannot balance ${ham.length} ham and ${spam.length} spam messages: there must be some of both kinds`,
    );
  }
  const [more, fewer] = ham.length >= spam.length ? [ham, spam] : [spam, ham];
  const drawn = Array.from(
    random.samplePositions(more.length, fewer.length, seed),
    (position) => more[position],
  );
  return more === ham ? [...drawn, ...spam] : [...ham, ...drawn];
}

export interface PreparedMessages {
  /** The names of the classes by their number, where they are not ham and spam: see `classNames`. */
  labels?: readonly string[];
  parts: Parts<LabelledText[]>;
  /** All messages, before balancing, and those that were kept; absent if the parts were read from a folder. */
  before?: { messages: Message[]; balanced: Message[] };
  /** Where they are from, in words. */
  source: string;
  /** What was found in the user's own data, a line each. */
  found?: readonly string[];
  /** What is not as it stands in the user's own table: columns left out, names joined, rows moved. */
  notes?: readonly string[];
  /** Tokens that the user's own messages are cut to, where they are longer than the model can see. */
  maxLength?: number;
  /** True for the stand-in: figures made from it say nothing about the real collection. */
  synthetic: boolean;
}

/** Which data a run has used, so that its results can be traced to them: where from, how many, and their SHA-256. */
export function describeData({ source, synthetic, parts }: PreparedMessages): Record<string, unknown> {
  const { train, valid, test } = parts;
  const sizes = { train: train.length, valid: valid.length, test: test.length };
  return { source, synthetic, sizes, sha256: hashOf(parts) };
}

/** The SHA-256 of all texts and labels, part by part. */
export function hashOf(parts: Parts<LabelledText[]>): string {
  return io.sha256(new TextEncoder().encode(JSON.stringify(parts)));
}

/** The names of the classes, by their number. */
export function classNames({
  labels = ['ham', 'spam'],
}: Pick<PreparedMessages, 'labels'>): readonly string[] {
  return labels;
}

export interface PrepareOptions extends OwnDataOptions {
  /**
   * The collection (a file, or the zip it comes in), a folder that `npm run data` wrote, `stand-in`, or a table of
   * your own.
   */
  data?: string;
  seed?: number;
  print?: (line: string) => void;
}

/**
 * Obtains the messages, balances them, and splits them 70 / 10 / 20; or reads the three parts from a folder.
 * @throws UserError if the messages cannot be read, or are too few for three parts
 */
export async function prepareMessages(options: PrepareOptions = {}): Promise<PreparedMessages> {
  const { data, seed = DEFAULT_SEED, print } = options;
  if (isOwnData(options)) return prepareOwnData(options, seed);
  if (data !== undefined && isFolder(data)) {
    const { parts, labels, synthetic } = await readParts(data);
    if (labels) return { ...ownParts(parts, labels, options), source: data };
    return {
      parts,
      source: synthetic ? `${data}, made from ${MESSAGES.standIn.name}` : data,
      synthetic,
    };
  }

  const obtained = await obtain(MESSAGES, { path: data, print });
  const messages = obtained.data;
  const spam = messages.filter(({ label }) => label === 'spam').length;
  const counts = `${messages.length - spam} ham and ${spam} spam`;
  if (spam === 0 || spam === messages.length) {
    throw new UserError(`${obtained.source} has ${counts} messages: some of both kinds are needed`);
  }
  const balanced = createBalancedDataset(messages, seed);
  const split = randomSplit(balanced, 0.7, 0.1, seed);
  const sizes = [split.train, split.validation, split.test].map((part) => part.length);
  if (sizes.includes(0)) {
    throw new UserError(
      `${obtained.source} has ${counts} messages: balanced and split, that would be ${sizes[0]} for training, ` +
        `${sizes[1]} for validation and ${sizes[2]} for the test; give at least 5 of each kind`,
    );
  }
  if (!obtained.isOriginal && !obtained.isStandIn) {
    const rows = messages.length.toLocaleString('en');
    const original = ORIGINAL_ROWS.toLocaleString('en');
    print?.(
      `${obtained.source} is not the original collection of ${original} messages: it has ${rows} (${counts})`,
    );
  }
  const numbered = (part: readonly Message[]) =>
    part.map(({ label, text }) => ({ text, label: label === 'spam' ? 1 : 0 }));
  return {
    parts: {
      train: numbered(split.train),
      valid: numbered(split.validation),
      test: numbered(split.test),
    },
    before: { messages, balanced },
    source: obtained.source,
    synthetic: obtained.isStandIn,
  };
}

/** What a training on them depends on beside its options, whatever the files are called and wherever they are. */
export async function factsOf(
  { parts, labels }: PreparedMessages,
  weights: string | undefined,
): Promise<Record<string, string | undefined>> {
  return {
    'the messages': fingerprint({ parts, labels }),
    'the weights': await fingerprintOfWeights(weights),
  };
}

/** The messages as they are read, how many there are of each kind, and as many of one as of the other. */
export function showPreparing(nb: Notebook, { before, found, notes, parts, source }: PreparedMessages): void {
  nb.note(`Messages: ${source}`);
  for (const line of notes ?? []) nb.result(line);
  for (const line of found ?? []) nb.note(line);
  if (before) {
    const { messages, balanced } = before;
    const column = (name: string, values: readonly (string | number)[]) => ({ name, values });
    const texts = (of: readonly Message[]) =>
      column(
        'Text',
        of.map(({ text }) => text),
      );
    const labels = (of: readonly Message[]) => of.map(({ label }) => label);
    nb.print(15, formatFrame([...messages.keys()], [column('Label', labels(messages)), texts(messages)]));
    nb.print(17, formatCounts('Label', countLabels(messages)));
    nb.print(19, formatCounts('Label', countLabels(balanced)));
    const position = new Map(messages.map((message, i) => [message, i]));
    const numbers = labels(balanced).map((label) => (label === 'spam' ? 1 : 0));
    const rows = balanced.map((message) => position.get(message)!);
    nb.print(22, formatFrame(rows, [column('Label', numbers), texts(balanced)]));
  } else if (!found) nb.note('(three parts, balanced and split before)');
  const sizes = [parts.train, parts.valid, parts.test].map((part) => part.length.toLocaleString('en'));
  nb.note(`${sizes[0]} to learn from, ${sizes[1]} to watch the learning with, ${sizes[2]} for the test`);
  const copies = copiesInWords(parts);
  if (copies !== undefined) nb.note(`(${copies})`);
}

function countLabels(messages: readonly Message[]): [string, number][] {
  const spam = messages.filter(({ label }) => label === 'spam').length;
  return [
    ['ham', messages.length - spam],
    ['spam', spam],
  ];
}
