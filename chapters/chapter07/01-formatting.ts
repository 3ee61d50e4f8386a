import type { InstructionEntry } from '../datasets/index.ts';

/**
 * One example of an instruction dataset, and the text that a model is shown of it. The layout is that of Stanford
 * Alpaca (Taori et al. 2023): a fixed opening, then the parts under headings. Any other layout would do, as
 * long as training and use agree on it: the headings are what the model learns to answer to.
 */

const OPENING =
  'Below is an instruction that describes a task. Write a response that appropriately completes the request.';

/** Stands before the answer. */
export const RESPONSE_HEADING = '### Response:';

/** The prompt: everything up to where the answer's heading begins. The input's heading goes if there is no input. */
export function formatInput(entry: InstructionEntry): string {
  const instruction = `${OPENING}\n\n### Instruction:\n${entry.instruction}`;
  return entry.input ? `${instruction}\n\n### Input:\n${entry.input}` : instruction;
}

/** The answer under its heading, as it follows the prompt in training. */
export function formatResponse(entry: InstructionEntry): string {
  return `\n\n${RESPONSE_HEADING}\n${entry.output}`;
}

/** Prompt and answer: the text that is learnt. */
export function formatExample(entry: InstructionEntry): string {
  return formatInput(entry) + formatResponse(entry);
}
