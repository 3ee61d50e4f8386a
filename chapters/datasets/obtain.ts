import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { io, UserError } from '../../lib/index.ts';
import { downloadFile } from './download.ts';

/**
 * The one way to a data set, whichever it is:
 *
 *      --data PATH ──▶ that file
 *      otherwise   ──▶ data/FILE, kept from an earlier run ──▶ the download ──▶ the stand-in, written for this project
 *
 * A data set is a constant of this type, in a file of its own beside this one.
 */
export interface DataSet<T> {
  /** What it is called in messages. */
  name: string;
  /** The option that names a local copy: `--data`. */
  option: string;
  /** The file's name below data/, where a download is kept. */
  file: string;
  /** Where it can be had; the second is tried if the first fails. */
  urls: readonly string[];
  /** The SHA-256 of the file: nothing else is accepted. */
  sha256: string;
  /** Takes the file out of what it comes in, such as a zip; bytes that are the file itself come back as they are. */
  unpack?: (bytes: Uint8Array, path: string) => Uint8Array;
  /** Makes of the file what the chapters work with. @throws UserError that names the path */
  parse: (bytes: Uint8Array, path: string) => T;
  standIn: {
    /** Given in place of a path, it asks for the stand-in. */
    keyword: string;
    /** What it is called in messages. */
    name: string;
    make: () => T | Promise<T>;
  };
}

export interface ObtainOptions {
  /** A local copy, or the stand-in's keyword. */
  path?: string;
  print?: (line: string) => void;
  /** Other places, for tests. */
  urls?: readonly string[];
  cacheFolder?: string;
}

export interface Obtained<T> {
  data: T;
  /** Where it is from, in words. */
  source: string;
  /** Is it, byte for byte, the file whose figures the book prints? */
  isOriginal: boolean;
  /** Is it the stand-in? What is measured on it says nothing about the real data. */
  isStandIn: boolean;
}

/** Downloads are kept here. */
const CACHE_FOLDER = fileURLToPath(new URL('../../data/', import.meta.url));

/** Where the download of a data set is kept. */
export function keptAt({ file }: Pick<DataSet<unknown>, 'file'>): string {
  return join(CACHE_FOLDER, file);
}

/**
 * A data set: from a local copy, if one is named; else downloaded once and kept; else, said in one line, the stand-in.
 *
 * @throws UserError if the local copy, or the one kept, cannot be read or is damaged
 */
export async function obtain<T>(set: DataSet<T>, options: ObtainOptions = {}): Promise<Obtained<T>> {
  const { path, print = console.log, urls = set.urls, cacheFolder = CACHE_FOLDER } = options;
  if (path === set.standIn.keyword) return standIn(set);
  if (path !== undefined) {
    const read = await io.readFileOrExplain(path, set.name);
    const bytes = set.unpack?.(read, path) ?? read;
    const isOriginal = io.sha256(bytes) === set.sha256;
    return { data: set.parse(bytes, path), source: path, isOriginal, isStandIn: false };
  }
  const kept = join(cacheFolder, set.file);
  let bytes: Uint8Array;
  if (existsSync(kept)) {
    bytes = await io.readFileOrExplain(kept, set.name);
    io.checkSha256(bytes, set.sha256, kept);
  } else {
    const download = await downloadFirst(set, urls);
    if (!download.bytes) {
      print(
        `${set.name[0].toUpperCase()}${set.name.slice(1)} cannot be downloaded (${download.reasons.join('; ')}): using ${set.standIn.name} instead, so ` +
          `the figures differ from the book. To use the real one, give a local copy with --${set.option} PATH`,
      );
      return standIn(set);
    }
    bytes = download.bytes;
    await keep(kept, bytes, `Downloaded ${set.name}`, print);
  }
  return { data: set.parse(bytes, kept), source: set.name, isOriginal: true, isStandIn: false };
}

async function standIn<T>({ standIn: { name, make } }: DataSet<T>): Promise<Obtained<T>> {
  return { data: await make(), source: name, isOriginal: false, isStandIn: true };
}

/** The file from the first place that has it, or why there is none. */
async function downloadFirst<T>(
  set: DataSet<T>,
  urls: readonly string[],
): Promise<{ bytes?: Uint8Array; reasons: string[] }> {
  const reasons: string[] = [];
  const folder = await mkdtemp(join(tmpdir(), 'download-')); // two runs at once do not meet
  try {
    for (const url of urls) {
      const sent = `what ${new URL(url).host} sent`;
      try {
        const path = join(folder, set.file);
        await downloadFile(url, path);
        const read = await io.readFileOrExplain(path, 'the download');
        const bytes = set.unpack?.(read, sent) ?? read;
        io.checkSha256(bytes, set.sha256, sent);
        return { bytes, reasons };
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        reasons.push(error.message);
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return { reasons };
}

/** Keeps a download for the next run. Where nothing can be written, this run has it all the same. */
async function keep(path: string, bytes: Uint8Array, what: string, print: (line: string) => void) {
  try {
    await io.writeFileAtomically(path, bytes);
    print(`${what}, kept as ${path}`);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    print(`${what}, not kept: ${error.message}`);
  }
}
