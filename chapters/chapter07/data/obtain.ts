/** Where the instructions come from: a local copy, the download, or those written for this project, in this order. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '../../../lib/errors.ts';
import { DownloadError, downloadFile } from '../../../lib/io/download.ts';
import { checkSha256, readFileOrExplain } from '../../../lib/io/files.ts';
import type { InstructionEntry } from '../01-formatting.ts';

/** The book's 1,100 instructions, in its repository. */
const URL_OF_DATA =
  'https://raw.githubusercontent.com/rasbt/LLMs-from-scratch/main/ch07/01_main-chapter-code/instruction-data.json';
const DATA_SHA256 = '7e09a9af353722ca15c18bc580f093f9c39d3178335a75177319cb1e1d163944';

/** Where the download is kept. */
const CACHE_FOLDER = fileURLToPath(new URL('../../../data/', import.meta.url));

const OWN_INSTRUCTIONS = fileURLToPath(new URL('./own-instructions.json', import.meta.url));

/** Given in place of a path, it asks for the instructions written for this project. */
export const OWN = 'own';

export interface ObtainInstructionsOptions {
  /** A local copy, or any file of the same schema; or `own`. */
  data?: string;
  print?: (line: string) => void;
  /** Other places, for tests. */
  url?: string;
  cacheFolder?: string;
}

export interface Instructions {
  entries: InstructionEntry[];
  /** What they are, in words. */
  source: string;
}

/**
 * The instruction dataset. Without a local copy it is downloaded once and kept under data/; without a network
 * either, a line says so and the instructions written for this project are used.
 * @throws UserError if the local copy, or the kept one, is missing, damaged, or of another schema
 */
export async function obtainInstructions(options: ObtainInstructionsOptions = {}): Promise<Instructions> {
  const { data, print = console.log, url = URL_OF_DATA, cacheFolder = CACHE_FOLDER } = options;
  if (data === OWN) return own();
  if (data !== undefined) return { entries: await readInstructions(data), source: data };
  const kept = join(cacheFolder, 'instruction-data.json');
  if (!existsSync(kept)) {
    try {
      await downloadFile(url, kept, { sha256: DATA_SHA256 });
      print(`Downloaded the book's instructions, kept as ${kept}`);
    } catch (error) {
      if (!(error instanceof DownloadError)) throw error;
      print(
        `The book's instructions cannot be downloaded (${error.message}): using 120 written for this project. ` +
          'For the real ones, give a local copy with --data PATH',
      );
      return own();
    }
  }
  checkSha256(await readFileOrExplain(kept, 'the instructions'), DATA_SHA256, kept);
  return { entries: await readInstructions(kept), source: "the book's instructions" };
}

async function own(): Promise<Instructions> {
  return { entries: await readInstructions(OWN_INSTRUCTIONS), source: 'written for this project' };
}

/**
 * Reads a list of `{ "instruction", "input", "output" }`.
 * @throws UserError if the file is missing, is no JSON, an entry is of another schema, or there are too few
 */
export async function readInstructions(path: string): Promise<InstructionEntry[]> {
  const bytes = await readFileOrExplain(path, 'the instructions');
  let entries: unknown;
  try {
    entries = JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UserError(`${path} is not readable JSON (${why}); it may be cut short, so get it again`);
  }
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
