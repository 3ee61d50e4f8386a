/** From messages to the three parquet files the chapters read, and back. */

import { join } from 'node:path';
import { UserError } from '../../../lib/errors.ts';
import { readParquet, writeParquet } from '../../../lib/io/parquet.ts';
import { obtainMessages } from './obtain.ts';
import type { Message } from './sms.ts';
import { createBalancedDataset, DEFAULT_SEED, randomSplit } from './split.ts';

/** Where the files go unless told otherwise. */
export const DEFAULT_FOLDER = 'data/sms';

export interface PrepareOptions {
  /** A local copy of the collection, or `stand-in`; otherwise it is downloaded, or the stand-in used. */
  data?: string;
  /** The folder to write to. */
  out?: string;
  seed?: number;
  print?: (line: string) => void;
}

export interface PreparedPart {
  path: string;
  rows: number;
  spam: number;
}

export interface PreparedSplits {
  train: PreparedPart;
  validation: PreparedPart;
  test: PreparedPart;
  /** The rows read, before balancing. */
  messages: { ham: number; spam: number };
  /** Where they came from, in words, and whether they are synthetic. */
  source: string;
  synthetic: boolean;
}

/**
 * Gets the messages, balances them, splits them 70 / 10 / 20 and writes train.parquet, valid.parquet and
 * test.parquet with the columns Label (0 ham, 1 spam) and Text, row for row as pandas would.
 *
 * @throws UserError if the messages cannot be read or the files not written
 */
export async function prepareSplits(options: PrepareOptions = {}): Promise<PreparedSplits> {
  const { data, out = DEFAULT_FOLDER, seed = DEFAULT_SEED, print } = options;
  const { messages, source, synthetic } = await obtainMessages({ data, print });
  const balanced = createBalancedDataset(messages, seed);
  const { train, validation, test } = randomSplit(balanced, 0.7, 0.1, seed);
  const spam = countSpam(messages);
  return {
    train: await writeMessages(join(out, 'train.parquet'), train),
    validation: await writeMessages(join(out, 'valid.parquet'), validation),
    test: await writeMessages(join(out, 'test.parquet'), test),
    messages: { ham: messages.length - spam, spam },
    source,
    synthetic,
  };
}

async function writeMessages(path: string, messages: readonly Message[]): Promise<PreparedPart> {
  await writeParquet(path, [
    { name: 'Label', type: 'int64', data: messages.map(({ label }) => (label === 'spam' ? 1 : 0)) },
    { name: 'Text', type: 'string', data: messages.map(({ text }) => text) },
  ]);
  return { path, rows: messages.length, spam: countSpam(messages) };
}

function countSpam(messages: readonly Message[]): number {
  return messages.filter(({ label }) => label === 'spam').length;
}

export interface LabelledTexts {
  /** 0 ham, 1 spam. */
  labels: number[];
  texts: string[];
}

/**
 * Reads one of these files, or any parquet file with such columns.
 *
 * @throws UserError if it is missing, damaged or empty, or a label is not 0 or 1, or a text not a text
 */
export async function readLabelledTexts(path: string): Promise<LabelledTexts> {
  const { Label, Text } = await readParquet(path, ['Label', 'Text'], 'the messages');
  if (Label.length === 0) throw new UserError(`${path} has no rows; make it again with npm run data`);
  for (const [row, label] of Label.entries()) {
    if (label !== 0 && label !== 1) {
      throw new UserError(`${path}, row ${row}: the label must be 0 (ham) or 1 (spam), not ${String(label)}`);
    }
    if (typeof Text[row] !== 'string') throw new UserError(`${path}, row ${row}: Text is not a text`);
  }
  return { labels: Label as number[], texts: Text as string[] };
}
