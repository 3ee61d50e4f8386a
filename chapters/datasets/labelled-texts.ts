import { statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { io, UserError } from '../../lib/index.ts';
import { type ParquetColumn, parquetBytes, readParquet, readParquetNotes } from './parquet.ts';

/** A text and the number of its class: 1 for spam, 0 for an ordinary message, or as the classes of your own are numbered. */
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

const PARTS = ['train', 'valid', 'test'] as const;

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
/** The note with the names of the classes, where they are not ham and spam. */
const LABELS = 'labels';

/** The note that says which parts belong together: the hash of all three, the same in each. */
const SET = 'set';

/**
 * Writes the parts as train.parquet, valid.parquet and test.parquet, with the columns Label and Text. Those that are there are
 * replaced as one.
 * @param synthetic are they made from a stand-in? `readParts` says so from then on
 * @param labels the names of the classes by their number, where they are not ham and spam
 * @returns the paths
 * @throws UserError if nothing can be written there
 */
export async function writeParts(
  folder: string,
  parts: Parts<readonly LabelledText[]>,
  synthetic: boolean,
  labels?: readonly string[],
): Promise<Parts<string>> {
  const files = filesIn(folder);
  const set = io.sha256(new TextEncoder().encode(JSON.stringify({ parts, labels })));
  const notes: Record<string, string> = {
    [SET]: set,
    ...(synthetic && { [SYNTHETIC]: 'true' }),
    ...(labels && { [LABELS]: JSON.stringify(labels) }),
  };
  const written = PARTS.map((part) => {
    const columns: ParquetColumn[] = [
      { name: 'Label', type: 'int64', data: parts[part].map(({ label }) => label) },
      { name: 'Text', type: 'string', data: parts[part].map(({ text }) => text) },
    ];
    return [basename(files[part]), parquetBytes(files[part], columns, notes)] as const;
  });
  await io.replaceTogether(folder, Object.fromEntries(written));
  return files;
}

function labelsFrom(note: string, path: string): string[] {
  let labels: unknown;
  try {
    labels = JSON.parse(note);
  } catch {
    labels = undefined;
  }
  const areNames =
    Array.isArray(labels) && labels.length >= 2 && labels.every((name) => typeof name === 'string');
  if (areNames && new Set(labels as string[]).size === (labels as string[]).length) return labels as string[];
  throw new UserError(`${path} does not say the names of its classes: write it again with npm run data`);
}

/** The parts in a folder, and what the files say of them. */
export interface PartsInFolder {
  parts: Parts<LabelledText[]>;
  /** The names of the classes by their number; undefined for ham and spam. */
  labels?: string[];
  /** Were they made from a stand-in? */
  synthetic: boolean;
}

/**
 * Reads such a folder.
 * @throws UserError if a file is missing, damaged or empty, has a wrong label, or was written with others than those beside it
 */
export async function readParts(folder: string): Promise<PartsInFolder> {
  const files = filesIn(folder);
  return io.readTogetherAsync(files.train, async () => {
    const parts = {
      train: await readLabelledTexts(files.train),
      valid: await readLabelledTexts(files.valid),
      test: await readLabelledTexts(files.test),
    };
    const notes = await Promise.all(PARTS.map((part) => readParquetNotes(files[part])));
    const sets = notes.map((note) => note[SET]);
    const other = sets.findIndex((set) => set !== undefined && set !== sets.find(Boolean));
    if (other !== -1) {
      const first = sets.findIndex(Boolean);
      throw new UserError(
        `${files[PARTS[other]]} was not written together with ${files[PARTS[first]]}, so that texts of one part may be in the ` +
          'other: write all three anew with npm run data',
      );
    }
    const [labels, ...others] = notes.map((note) => note[LABELS]);
    if (others.some((each) => each !== labels))
      throw new UserError(
        `the three files in ${folder} have different classes: write them again with npm run data`,
      );
    return {
      parts,
      labels: labels === undefined ? undefined : labelsFrom(labels, folder),
      synthetic: notes.some((note) => note[SYNTHETIC] === 'true'),
    };
  });
}

/**
 * Reads one of these files, or any parquet file with such columns.
 * @throws UserError if it is missing, damaged or empty, or a label is not the number of a class, or a text is not one
 */
export async function readLabelledTexts(path: string): Promise<LabelledText[]> {
  const { Label, Text } = await readParquet(path, ['Label', 'Text'], 'the messages');
  if (Label.length === 0) throw new UserError(`${path} has no rows: at least one message is expected`);
  const note = (await readParquetNotes(path))[LABELS];
  const classes = note === undefined ? 2 : labelsFrom(note, path).length;
  const wanted = note === undefined ? '0 (ham) or 1 (spam)' : `a whole number from 0 to ${classes - 1}`;
  return Label.map((label, row) => {
    const text = Text[row];
    if (!Number.isInteger(label) || !((label as number) >= 0 && (label as number) < classes)) {
      throw new UserError(`${path}, row ${row}: the label must be ${wanted}, not ${String(label)}`);
    }
    if (typeof text !== 'string') throw new UserError(`${path}, row ${row}: Text is not a text`);
    return { label: label as number, text };
  });
}

/** Is a path that of a folder, such as `writeParts` fills? */
export function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
