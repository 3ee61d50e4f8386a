import { statSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../lib/index.ts';
import { type ParquetColumn, readParquet, readParquetNotes, writeParquet } from './parquet.ts';

/** A text and its class: 1 for spam, 0 for an ordinary message. */
export interface LabelledText {
  text: string;
  label: number;
}

/** Training, validation and test part. */
export interface Parts<T> {
  train: T;
  valid: T;
  test: T;
}

/** The files of the three parts in a folder. */
function filesIn(folder: string): Parts<string> {
  return {
    train: join(folder, 'train.parquet'),
    valid: join(folder, 'valid.parquet'),
    test: join(folder, 'test.parquet'),
  };
}

/** The note that files made from a stand-in carry, so that nothing measured on them is taken for a real result. */
const SYNTHETIC = 'synthetic';

/**
 * Writes the parts as train.parquet, valid.parquet and test.parquet, with the columns Label and Text.
 * @param synthetic are they made from a stand-in? from then on `isSynthetic` is true of the folder
 * @returns the paths
 * @throws UserError if nothing can be written there
 */
export async function writeParts(
  folder: string,
  parts: Parts<readonly LabelledText[]>,
  synthetic: boolean,
): Promise<Parts<string>> {
  const files = filesIn(folder);
  const notes: Record<string, string> = synthetic ? { [SYNTHETIC]: 'true' } : {};
  for (const part of ['train', 'valid', 'test'] as const) {
    const columns: ParquetColumn[] = [
      { name: 'Label', type: 'int64', data: parts[part].map(({ label }) => label) },
      { name: 'Text', type: 'string', data: parts[part].map(({ text }) => text) },
    ];
    await writeParquet(files[part], columns, notes);
  }
  return files;
}

/** Were the parts in such a folder made from a stand-in? @throws UserError if a file is missing or damaged */
export async function isSynthetic(folder: string): Promise<boolean> {
  const notes = await Promise.all(Object.values(filesIn(folder)).map(readParquetNotes));
  return notes.some((note) => note[SYNTHETIC] === 'true');
}

/** Reads such a folder. @throws UserError if a file is missing, damaged or empty, or has a wrong label */
export async function readParts(folder: string): Promise<Parts<LabelledText[]>> {
  const files = filesIn(folder);
  return {
    train: await readLabelledTexts(files.train),
    valid: await readLabelledTexts(files.valid),
    test: await readLabelledTexts(files.test),
  };
}

/**
 * Reads one of these files, or any parquet file with such columns.
 * @throws UserError if it is missing, damaged or empty, or a label is not 0 or 1, or a text is not one
 */
export async function readLabelledTexts(path: string): Promise<LabelledText[]> {
  const { Label, Text } = await readParquet(path, ['Label', 'Text'], 'the messages');
  if (Label.length === 0) throw new UserError(`${path} has no rows: at least one message is expected`);
  return Label.map((label, row) => {
    const text = Text[row];
    if (label !== 0 && label !== 1) {
      throw new UserError(`${path}, row ${row}: the label must be 0 (ham) or 1 (spam), not ${String(label)}`);
    }
    if (typeof text !== 'string') throw new UserError(`${path}, row ${row}: Text is not a text`);
    return { label, text };
  });
}

/** Is a path that of a folder, such as `writeParts` fills? */
export function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
