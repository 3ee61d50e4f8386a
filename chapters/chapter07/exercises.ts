import type { Tensor } from '../../lib/index.ts';
import type { GPTConfig } from '../chapter04/index.ts';
import { tokeniser } from '../chapter05/index.ts';
import { largest } from '../common/largest.ts';
import type { InstructionEntry } from '../datasets/index.ts';
import { formatExample, formatInput } from './02-preparing-the-dataset.ts';
import { type CollateOptions, customCollate, IGNORE_INDEX } from './03-batches.ts';

/** Solutions to the exercises of this chapter's README. */

/**
 * 1. Another layout, that of Phi-3: two marks instead of a sentence and three headings. An input follows the
 * instruction on a line of its own.
 */
export function formatPhi3(entry: InstructionEntry): string {
  const input = entry.input ? `\n${entry.input}` : '';
  return `<|user|>\n${entry.instruction}${input}\n\n<|assistant|>:${entry.output}`;
}

/**
 * 2. Only the answer is learnt: the targets that belong to the prompt are ignored too. Position i predicts token
 * i + 1, so a prompt of p tokens has p − 1 targets of its own.
 */
export function collateAnswersOnly(
  entries: readonly InstructionEntry[],
  options: CollateOptions = {},
): [Tensor, Tensor] {
  const { ignoreIndex = IGNORE_INDEX } = options;
  const [inputs, targets] = customCollate(
    entries.map((entry) => tokeniser.encode(formatExample(entry))),
    options,
  ); // [b, t]
  entries.forEach((entry, row) => {
    const promptTokens = tokeniser.encode(formatInput(entry)).length;
    const own = targets.select(0, row).narrow(0, 0, Math.min(promptTokens - 1, targets.shape[1])); // [p − 1]
    own.copyInPlace(own.mul(0).add(ignoreIndex));
  });
  return [inputs, targets];
}

/** 3. How many numbers LoRA trains, with every Linear wrapped: each costs rank · (in + out). */
export function countLoRAParameters(config: GPTConfig, rank: number): number {
  const { embDim: d, nLayers, vocabSize } = config;
  const attention = 4 * (d + d); // query, key, value and output projection, each d → d
  const feedForward = d + 4 * d + (4 * d + d);
  const head = d + vocabSize;
  return rank * (nLayers * (attention + feedForward) + head);
}

/**
 * 4. The share of the batches that is padding, over all batches of examples of these lengths, in this order. A
 * batch takes as many tokens as its longest example times its number of examples.
 */
export function paddingShare(lengths: readonly number[], batchSize: number): number {
  let filled = 0;
  let cells = 0;
  for (let start = 0; start < lengths.length; start += batchSize) {
    const batch = lengths.slice(start, start + batchSize);
    const width = largest(batch);
    cells += width * batch.length;
    filled += batch.reduce((sum, length) => sum + width - length, 0);
  }
  return filled / cells;
}
