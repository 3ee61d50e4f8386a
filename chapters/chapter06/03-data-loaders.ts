import { DataLoader, Dataset, type Tensor, tensor, UserError } from '../../lib/index.ts';
import { END_OF_TEXT } from '../chapter02/index.ts';
import { tokeniser as gpt2Tokeniser, type Tokeniser } from '../chapter05/index.ts';
import { type Notebook, torchSize } from '../common/notebook.ts';
import { type LabelledText, type Parts, readLabelledTexts } from '../datasets/index.ts';

/** `<|endoftext|>`: what shorter messages are padded with. */
export const PAD_TOKEN_ID = 50256;

export interface SpamDatasetOptions {
  /** Tokens per message: longer ones are cut, shorter ones padded. Null for the longest of this set. */
  maxLength?: number | null;
  tokeniser?: Tokeniser;
  padTokenId?: number;
  /** How many classes there are; 2 for spam and ham. */
  classes?: number;
}

/** Messages as token ids of one length, each with its label: `[ids [maxLength], label []]`, both int32. */
export class SpamDataset extends Dataset<[Tensor, Tensor]> {
  readonly maxLength: number;
  /** What shorter messages are filled up with. */
  readonly padTokenId: number;
  /** Cut to that length, and not yet filled up: of a large table that would be most of the memory. */
  private readonly encoded: Int32Array[];
  private readonly labels: number[];

  /** @throws UserError if there is no message or a label is not the number of a class */
  constructor(rows: readonly LabelledText[], options: SpamDatasetOptions = {}) {
    super();
    const { tokeniser = gpt2Tokeniser, padTokenId = PAD_TOKEN_ID, classes = 2 } = options;
    if (rows.length === 0) throw new UserError('the dataset is empty: at least one message is expected');
    for (const { label } of rows) {
      if (Number.isInteger(label) && label >= 0 && label < classes) continue;
      const wanted = classes === 2 ? '0 (ham) or 1 (spam)' : `a whole number from 0 to ${classes - 1}`;
      throw new UserError(`a label has to be ${wanted}, not ${label}`);
    }
    this.labels = rows.map((row) => row.label);
    this.padTokenId = padTokenId;
    const most = options.maxLength ?? Number.POSITIVE_INFINITY;
    this.encoded = rows.map((row) => Int32Array.from(tokeniser.encode(row.text).slice(0, most)));
    this.maxLength =
      options.maxLength ?? this.encoded.reduce((longest, ids) => Math.max(longest, ids.length), 0);
  }

  /**
   * Reads the columns `Label` (0 or 1) and `Text` of a parquet file.
   * @throws UserError if the file is missing or damaged, a column is missing, a label is wrong, or it is empty
   */
  static async fromParquet(path: string, options: SpamDatasetOptions = {}): Promise<SpamDataset> {
    return new SpamDataset(await readLabelledTexts(path), options);
  }

  get length(): number {
    return this.labels.length;
  }

  get(position: number): [Tensor, Tensor] {
    const ids = new Int32Array(this.maxLength).fill(this.padTokenId);
    ids.set(this.encoded[position]);
    return [tensor(ids), tensor(this.labels[position], { dtype: 'int32' })];
  }
}

/** Batches `[ids [b, t], labels [b]]`. */
export type Batches = DataLoader<[Tensor, Tensor]>;

/** @throws UserError if messages of the length that is asked for are more than the model can see */
export function checkLength(
  maxLength: number | undefined,
  { name, contextLength }: { name: string; contextLength: number },
): void {
  if (maxLength === undefined || maxLength <= contextLength) return;
  throw new UserError(`--max-length ${maxLength} is too long: ${name} sees at most ${contextLength} tokens`);
}

/**
 * The three parts as datasets, all cut or padded to the same length.
 * @param maxLength in tokens; by default that of the longest training message
 * @param classes how many there are
 * @throws UserError if that is more than the model can see
 */
export function makeDatasets(
  parts: Parts<LabelledText[]>,
  model: { name: string; contextLength: number; tokeniser?: Tokeniser; padTokenId?: number },
  maxLength?: number,
  classes?: number,
): Parts<SpamDataset> {
  const { name, contextLength, tokeniser, padTokenId } = model;
  checkLength(maxLength, model);
  const train = new SpamDataset(parts.train, { maxLength, classes, tokeniser, padTokenId });
  if (train.maxLength > contextLength) {
    throw new UserError(
      `the longest message has ${train.maxLength} tokens, but ${name} sees at most ${contextLength}: ` +
        `cut them with --max-length ${contextLength}`,
    );
  }
  const sameLength = { maxLength: train.maxLength, classes, tokeniser, padTokenId };
  return {
    train,
    valid: new SpamDataset(parts.valid, sameLength),
    test: new SpamDataset(parts.test, sameLength),
  };
}

/**
 * A loader for each part. The training part is shuffled anew in every pass, and an incomplete last batch is left
 * out.
 * @throws UserError if there are fewer training messages than one batch takes
 */
export function makeLoaders(parts: Parts<Dataset<[Tensor, Tensor]>>, batchSize: number): Parts<Batches> {
  const { length } = parts.train;
  if (length < batchSize) {
    throw new UserError(
      `the training part has ${length} messages, fewer than a batch of ${batchSize}: ` +
        `give --batch-size ${length} or less, or more messages`,
    );
  }
  return {
    train: new DataLoader(parts.train, { batchSize, shuffle: true, dropLast: true }),
    valid: new DataLoader(parts.valid, { batchSize }),
    test: new DataLoader(parts.test, { batchSize }),
  };
}

/** What shorter messages are padded with, and the length that all of them get. */
export function showPadding(
  nb: Notebook,
  datasets: Parts<SpamDataset>,
  padding: readonly number[] = gpt2Tokeniser.encode(END_OF_TEXT, { allowedSpecial: [END_OF_TEXT] }),
): void {
  nb.print(28, `[${padding}]`);
  nb.print(31, datasets.train.maxLength);
}

/** The shapes of the last batch, and how many batches each part has. */
export function showLoaders(
  nb: Notebook,
  { train, valid, test }: Parts<Batches>,
  cells: [number, number],
): void {
  nb.print(cells[0], 'Train loader:');
  let shapes: [readonly number[], readonly number[]] = [[], []];
  for (const [inputs, labels] of train) shapes = [inputs.shape, labels.shape]; // [8, 109], [8]
  nb.print(cells[0], `Input batch dimensions: ${torchSize(shapes[0])}`);
  nb.print(cells[0], `Label batch dimensions ${torchSize(shapes[1])}`);
  nb.print(cells[1], `${train.length} training batches`);
  nb.print(cells[1], `${valid.length} validation batches`);
  nb.print(cells[1], `${test.length} test batches`);
  nb.figure('inputShape', shapes[0]);
  nb.figure('labelShape', shapes[1]);
  nb.figure('batches', { train: train.length, valid: valid.length, test: test.length });
}
