import { UserError } from '../errors.ts';
import { kindOfPath, type OpenFile, openFile, pathIn } from './files.ts';
import { parseJsonObject } from './json.ts';

/** Files that belong together, by name: a folder on disk, or what was handed over where there is no disk, in a browser. */
export interface Folder {
  /** What messages call it: its path. */
  readonly name: string;
  /** Is there a file of that name in it? */
  has(file: string): boolean;
  /**
   * Opens one of its files.
   * @param what what the file is to the user, e.g. `the weights`
   * @throws UserError if it is missing or not readable
   */
  open(file: string, what: string): OpenFile;
}

/** A file's content without a path: its bytes, or a browser's `File`. */
export type FileContent = Uint8Array | ArrayBuffer | Blob;

/** A folder on disk. Its files are opened when they are asked for. */
export function folderOnDisk(path: string): Folder {
  return {
    name: path,
    has: (file) => kindOfPath(pathIn(path, file)) === 'file',
    open: (file, what) => openFile(pathIn(path, file), what),
  };
}

/** Files handed over by name, as a folder. `name` is what messages call it. */
export async function folderOfContents(
  contents: Readonly<Record<string, FileContent>>,
  name: string,
): Promise<Folder> {
  const opened = new Map<string, OpenFile>();
  for (const [file, content] of Object.entries(contents)) opened.set(file, await openContent(content, file));
  return {
    name,
    has: (file) => opened.has(file),
    open(file, what) {
      const found = opened.get(file);
      if (!found) throw new UserError(`cannot read ${what}: ${file} is not among the files of ${name}`);
      return found;
    },
  };
}

/**
 * Opens bytes or a `File` as `openFile` opens a path. In a worker the parts of a File are read when they are asked for;
 * where they can only be waited for, it is read whole.
 * @param name what messages call it
 * @throws UserError for anything else
 */
export async function openContent(content: FileContent, name: string): Promise<OpenFile> {
  if (content instanceof Uint8Array) return openBytes(content);
  if (content instanceof ArrayBuffer) return openBytes(new Uint8Array(content));
  if (!(content instanceof Blob)) throw new UserError(`${name}: bytes or a File are expected`);
  if (typeof FileReaderSync === 'undefined') return openBytes(new Uint8Array(await content.arrayBuffer()));
  const reader = new FileReaderSync();
  return {
    size: content.size,
    read(begin, end, target = new Uint8Array(end - begin)) {
      try {
        target.set(new Uint8Array(reader.readAsArrayBuffer(content.slice(begin, end))));
      } catch (error) {
        throw new UserError(`cannot read ${name}: ${error instanceof Error ? error.message : error}`);
      }
      return target;
    },
    close: () => undefined,
  };
}

function openBytes(bytes: Uint8Array): OpenFile {
  return {
    size: bytes.length,
    read(begin, end, target) {
      const range = bytes.subarray(begin, end);
      target?.set(range);
      return target ?? range;
    },
    close: () => undefined,
  };
}

/** A browser's reader of a File that does not make a worker wait. */
declare class FileReaderSync {
  readAsArrayBuffer(blob: Blob): ArrayBuffer;
}

/** A JSON object from a file of a folder. @throws UserError as `readJson` does */
export function readJsonIn(folder: Folder, file: string, what: string): Record<string, unknown> {
  return parseJsonObject(readBytesIn(folder, file, what), nameIn(folder, file));
}

/** A text from a file of a folder. @throws UserError if it is missing, too large, or not UTF-8 */
export function readTextIn(folder: Folder, file: string, what: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readBytesIn(folder, file, what));
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${nameIn(folder, file)} is not UTF-8: it may be damaged, so get it again`);
  }
}

/** What messages call a file of a folder: its path. */
export function nameIn(folder: Folder, file: string): string {
  return `${folder.name}/${file}`;
}

/** Configurations and tokenisers are megabytes; anything larger is not one. */
const MOST_BYTES = 100_000_000;

function readBytesIn(folder: Folder, file: string, what: string): Uint8Array {
  const opened = folder.open(file, what);
  try {
    if (opened.size > MOST_BYTES)
      throw new UserError(`${nameIn(folder, file)} has ${opened.size} bytes, too many for ${what}`);
    return opened.read(0, opened.size);
  } finally {
    opened.close();
  }
}
