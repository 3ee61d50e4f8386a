import { DataLoader, Dataset, type Tensor, tensor, UserError } from '../../lib/index.ts';
import type { Notebook } from '../common/notebook.ts';
import { repr } from '../common/python.ts';
import { type Tokeniser, tokeniser } from './05-gpt2-tokeniser.ts';
import { END_OF_TEXT } from './gpt2-vocabulary.ts';

/**
 * What a language model learns from: pieces of a text, each with the same piece shifted by one token, so
 * that every position has the token that follows it as its target.
 *
 *      ids       40  367  2885  1464  1807  3619 …
 *      input   [ 40  367  2885  1464 ]
 *      target      [ 367  2885  1464  1807 ]
 */
export class GPTDatasetV1 extends Dataset<[Tensor, Tensor]> {
  private readonly windows: [Tensor, Tensor][] = [];

  /**
   * @param maxLength the number of tokens of a piece
   * @param stride how far after the start of one piece the next begins: maxLength for pieces that do not overlap
   * @throws UserError if the text is too short for a single piece
   */
  constructor(text: string, tokeniser: Tokeniser, maxLength: number, stride: number) {
    super();
    const ids = tokeniser.encode(text, { allowedSpecial: [END_OF_TEXT] });
    if (ids.length <= maxLength) {
      throw new UserError(
        `a text of ${ids.length} tokens is too short for pieces of ${maxLength}: it needs ${maxLength + 1}, so take a longer text or a smaller context`,
      );
    }
    for (let i = 0; i < ids.length - maxLength; i += stride) {
      const input = tensor(ids.slice(i, i + maxLength), { dtype: 'int32' }); // [maxLength]
      const target = tensor(ids.slice(i + 1, i + maxLength + 1), { dtype: 'int32' }); // [maxLength]
      this.windows.push([input, target]);
    }
  }

  get length(): number {
    return this.windows.length;
  }

  get(position: number): [Tensor, Tensor] {
    return this.windows[position];
  }
}

export interface DataloaderV1Options {
  batchSize?: number;
  maxLength?: number;
  stride?: number;
  shuffle?: boolean;
  dropLast?: boolean;
}

/** Batches of inputs [b, maxLength] and targets [b, maxLength], int32, of a text in GPT-2's tokens. */
export function createDataloaderV1(text: string, options: DataloaderV1Options = {}): DataLoader {
  const { batchSize = 4, maxLength = 256, stride = 128, shuffle = true, dropLast = true } = options;
  const dataset = new GPTDatasetV1(text, tokeniser, maxLength, stride);
  return new DataLoader(dataset, { batchSize, shuffle, dropLast });
}

/** Eight pieces of four tokens each that do not overlap: inputs and targets [8, 4]. */
export function firstBatch(text: string): [Tensor, Tensor] {
  const [batch] = createDataloaderV1(text, { batchSize: 8, maxLength: 4, stride: 4, shuffle: false });
  return batch;
}

/** What is to be guessed from what, and the same in batches. */
export function showSlidingWindow(nb: Notebook, text: string): void {
  const encoded = tokeniser.encode(text, { allowedSpecial: [END_OF_TEXT] });
  nb.print(81, encoded.length);
  const sample = encoded.slice(50);
  const contextSize = 4;
  nb.print(84, `x: ${repr(sample.slice(0, contextSize))}`);
  nb.print(84, `y:      ${repr(sample.slice(1, contextSize + 1))}`);
  for (let i = 1; i <= contextSize; i++) nb.print(86, repr(sample.slice(0, i)), '---->', sample[i]);
  for (let i = 1; i <= contextSize; i++) {
    nb.print(87, tokeniser.decode(sample.slice(0, i)), '---->', tokeniser.decode([sample[i]]));
  }
  const oneByOne = createDataloaderV1(text, { batchSize: 1, maxLength: 4, stride: 1, shuffle: false });
  const batches = oneByOne[Symbol.iterator]();
  nb.print(97, repr(batches.next().value)); // inputs and targets [1, 4]
  nb.print(98, repr(batches.next().value));
  const [inputs, targets] = firstBatch(text);
  nb.print(102, `Inputs:\n ${inputs}`);
  nb.print(102, `\nTargets:\n ${targets}`);
}
