import { readFile } from 'node:fs/promises';
import { UserError } from '../../lib/index.ts';
import type { DataSet } from './obtain.ts';
import { decodeText, parseJson } from './text.ts';

/** One example of an instruction dataset. */
export interface InstructionEntry {
  /** What is to be done. */
  instruction: string;
  /** What it is to be done to; empty if the instruction says it all. */
  input: string;
  /** The wanted answer. */
  output: string;
}

const OWN_INSTRUCTIONS = new URL('./own-instructions.json', import.meta.url);

/** Chapter 7's 1,100 instructions, from the book's repository. */
export const INSTRUCTIONS: DataSet<InstructionEntry[]> = {
  name: "the book's instructions",
  option: 'data',
  file: 'instruction-data.json',
  urls: [
    'https://raw.githubusercontent.com/rasbt/LLMs-from-scratch/main/ch07/01_main-chapter-code/instruction-data.json',
  ],
  sha256: '7e09a9af353722ca15c18bc580f093f9c39d3178335a75177319cb1e1d163944',
  parse: parseInstructions,
  standIn: {
    keyword: 'own',
    name: 'a set of 120 written for this project',
    make: async () => parseInstructions(await readFile(OWN_INSTRUCTIONS), OWN_INSTRUCTIONS.pathname),
  },
};

/**
 * Reads a list of `{ "instruction", "input", "output" }`.
 * @throws UserError if the bytes are not UTF-8 or not JSON, an entry has another schema, or there are too few
 */
function parseInstructions(bytes: Uint8Array, path: string): InstructionEntry[] {
  const entries = parseJson(decodeText(bytes, path), path);
  if (!Array.isArray(entries)) throw new UserError(`${path}: a list of instructions is expected`);
  entries.forEach((entry: unknown, i) => {
    if (isEntry(entry)) return;
    throw new UserError(
      `${path}: entry ${i} should have the texts "instruction", "input" (may be empty) and "output"`,
    );
  });
  if (entries.length < 20) {
    throw new UserError(`${path} has ${entries.length} entries; at least 20 are needed for the three parts`);
  }
  return entries as InstructionEntry[];
}

function isEntry(entry: unknown): entry is InstructionEntry {
  const { instruction, input, output } = (entry ?? {}) as Partial<InstructionEntry>;
  return [instruction, input, output].every((text) => typeof text === 'string') && instruction !== '';
}
