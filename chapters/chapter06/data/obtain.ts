/** Where the messages come from: a local copy, the download, or the stand-in, in this order. */

import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { unzipSync } from 'fflate';
import { UserError } from '../../../lib/errors.ts';
import { downloadFile } from '../../../lib/io/download.ts';
import { checkSha256, readFileOrExplain, writeFileAtomically } from '../../../lib/io/files.ts';
import { type Message, parseSms } from './sms.ts';
import { standInMessages } from './standin/standin.ts';

/** The UCI Machine Learning Repository, then the copy the book falls back to. */
const URLS = [
  'https://archive.ics.uci.edu/static/public/228/sms+spam+collection.zip',
  'https://f001.backblazeb2.com/file/LLMs-from-scratch/sms%2Bspam%2Bcollection.zip',
];

/** The text file inside either zip. */
const FILE_NAME = 'SMSSpamCollection';
const FILE_SHA256 = '7d039a24a6083ed9ef0f806ebad56bbb976e3aeb8de05669173bfdc4996c239d';

/** Where the download is kept. */
const CACHE_FOLDER = fileURLToPath(new URL('../../../data/', import.meta.url));

/** Given in place of a path, it asks for the synthetic messages. */
export const STAND_IN = 'stand-in';

export interface ObtainOptions {
  /** A local copy: the SMSSpamCollection file, or the zip it comes in; or `stand-in`. */
  data?: string;
  print?: (line: string) => void;
  /** Other places, for tests. */
  urls?: readonly string[];
  cacheFolder?: string;
}

export interface Collection {
  messages: Message[];
  /** What they are, in words. */
  source: string;
  /** True for the stand-in: figures made from it say nothing about the real collection. */
  synthetic: boolean;
}

/**
 * The messages of the SMS Spam Collection. Without a local copy it is downloaded once and kept under data/;
 * without a network either, a line says so and the stand-in is used.
 *
 * @throws UserError if the local copy, or the kept one, is missing or damaged
 */
export async function obtainMessages(options: ObtainOptions = {}): Promise<Collection> {
  const { data, print = console.log, urls = URLS, cacheFolder = CACHE_FOLDER } = options;
  if (data === STAND_IN) return standIn();
  if (data !== undefined) {
    const bytes = await readFileOrExplain(data, 'the SMS Spam Collection');
    return {
      messages: parseSms(isZip(bytes) ? unzip(bytes, data) : bytes, data),
      source: data,
      synthetic: false,
    };
  }
  const kept = join(cacheFolder, FILE_NAME);
  if (!existsSync(kept)) {
    const why = await download(urls, kept, print);
    if (why) {
      print(
        `The SMS Spam Collection cannot be downloaded (${why}): using the synthetic stand-in ` +
          'of the same size. To use the real one, give a local copy with --data PATH',
      );
      return standIn();
    }
  }
  const bytes = await readFileOrExplain(kept, 'the SMS Spam Collection');
  checkSha256(bytes, FILE_SHA256, kept);
  return { messages: parseSms(bytes, kept), source: 'the SMS Spam Collection (UCI)', synthetic: false };
}

function standIn(): Collection {
  return { messages: standInMessages(), source: 'the synthetic stand-in', synthetic: true };
}

/** Fetches the zip from the first place that has it and keeps the text file; returns why not, if not. */
async function download(
  urls: readonly string[],
  kept: string,
  print: (line: string) => void,
): Promise<string> {
  const zip = `${kept}.zip`;
  const reasons: string[] = [];
  for (const url of urls) {
    try {
      await downloadFile(url, zip);
      const bytes = unzip(await readFileOrExplain(zip, 'the download'), `what ${new URL(url).host} sent`);
      checkSha256(bytes, FILE_SHA256, `what ${new URL(url).host} sent`);
      await writeFileAtomically(kept, bytes);
      print(`Downloaded the SMS Spam Collection from ${new URL(url).host}, kept as ${kept}`);
      return '';
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      reasons.push(error.message);
    } finally {
      await rm(zip, { force: true });
    }
  }
  return reasons.join('; ');
}

function isZip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && bytes[1] === 0x4b; // "PK"
}

/** The text file out of the zip. */
function unzip(bytes: Uint8Array, name: string): Uint8Array {
  let files: Record<string, Uint8Array>;
  try {
    files = unzipSync(bytes, { filter: (file) => file.name.split('/').at(-1) === FILE_NAME });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UserError(
      `${name} is not a readable zip file (${why}); it may be damaged or cut short, so get it again`,
    );
  }
  const [file] = Object.values(files);
  if (!file)
    throw new UserError(`${name} has no file named ${FILE_NAME} in it; expected the SMS Spam Collection`);
  return file;
}
