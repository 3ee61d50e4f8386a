import { Dataset, type Tensor, tensor, UserError } from '../../lib/index.ts';
import { tokeniser as gpt2Tokeniser, type Tokeniser } from '../chapter05/index.ts';
import { type LabelledText, readLabelledTexts } from '../datasets/index.ts';

/** `<|endoftext|>`: what shorter messages are filled up with. */
export const PAD_TOKEN_ID = 50256;

export interface SpamDatasetOptions {
  /** Tokens per message: longer ones are cut, shorter ones filled up. Null for the longest of this set. */
  maxLength?: number | null;
  tokeniser?: Tokeniser;
  padTokenId?: number;
}

/** Messages as token ids of one length, each with its label: `[ids [maxLength], label []]`, both int32. */
export class SpamDataset extends Dataset<[Tensor, Tensor]> {
  readonly maxLength: number;
  private readonly encoded: number[][];
  private readonly labels: number[];

  /** @throws UserError if there is no message or a label is not 0 or 1 */
  constructor(rows: readonly LabelledText[], options: SpamDatasetOptions = {}) {
    super();
    const { tokeniser = gpt2Tokeniser, padTokenId = PAD_TOKEN_ID } = options;
    if (rows.length === 0) throw new UserError('the dataset is empty: at least one message is expected');
    for (const { label } of rows) {
      if (label !== 0 && label !== 1)
        throw new UserError(`a label has to be 0 (ham) or 1 (spam), not ${label}`);
    }
    this.labels = rows.map((row) => row.label);
    const texts = rows.map((row) => tokeniser.encode(row.text));
    this.maxLength = options.maxLength ?? Math.max(...texts.map((ids) => ids.length));
    const length = this.maxLength;
    this.encoded = texts.map((ids) => [
      ...ids.slice(0, length),
      ...Array(Math.max(0, length - ids.length)).fill(padTokenId),
    ]);
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
    const ids = tensor(this.encoded[position], { dtype: 'int32' });
    return [ids, tensor(this.labels[position], { dtype: 'int32' })];
  }
}
