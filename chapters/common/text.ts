/** The short story that chapters 2 and 5 read: a local copy, the download, or our own, in this order. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '../../lib/errors.ts';
import { downloadFile } from '../../lib/io/download.ts';
import { checkSha256, readFileOrExplain, sha256 } from '../../lib/io/files.ts';

/** Edith Wharton's “The Verdict” (1908), in the form that the book uses: the figures depend on every character. */
const URL_OF_VERDICT =
  'https://raw.githubusercontent.com/rasbt/LLMs-from-scratch/main/ch02/01_main-chapter-code/the-verdict.txt';
const VERDICT_SHA256 = 'b41e41a68f0398a3154ae69e2e4c0e2694e17fe0d66730536837f1b01935b31f';

/** “The Tide Clock”, written for this project: shorter, and other figures come out. */
const OWN_STORY = fileURLToPath(new URL('../chapter02/data/the-tide-clock.txt', import.meta.url));
/** Given in place of a path, it asks for our own story. */
export const OWN = 'own';

/** The option for a chapter's command line. */
export const TEXT_OPTION = {
  text: {
    type: 'string',
    help: `the text to read: a file, or '${OWN}' for the story written for this project (default: The Verdict, downloaded once)`,
    placeholder: 'PATH',
  },
} as const;

export interface Story {
  text: string;
  /** What it is, in words. */
  source: string;
  /** Is it the one whose figures the book prints? */
  isVerdict: boolean;
}

export interface StoryOptions {
  /** A local file, or `own`. */
  text?: string;
  print?: (line: string) => void;
  /** Other places, for tests. */
  url?: string;
  cacheFolder?: string;
}

/**
 * The text of a story. Without a local file “The Verdict” is downloaded once, checked, and kept under data/;
 * without a network a line says so, and our own story takes its place.
 *
 * @throws UserError if the local file, or the kept one, is missing, empty, damaged or no UTF-8
 */
export async function obtainStory(options: StoryOptions = {}): Promise<Story> {
  const { text, print = console.log, url = URL_OF_VERDICT } = options;
  if (text === OWN) return ownStory();
  if (text !== undefined) return readStory(text, text);
  const folder = options.cacheFolder ?? fileURLToPath(new URL('../../data/', import.meta.url));
  const kept = join(folder, 'the-verdict.txt');
  if (!existsSync(kept)) {
    try {
      await downloadFile(url, kept, { sha256: VERDICT_SHA256 });
      print(`Downloaded The Verdict, kept as ${kept}`);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      print(
        `The Verdict cannot be downloaded (${error.message}): reading “The Tide Clock” instead, written for ` +
          'this project, so the figures differ from the book. To read a local copy, give --text PATH',
      );
      return ownStory();
    }
  }
  checkSha256(await readFileOrExplain(kept, 'The Verdict'), VERDICT_SHA256, kept);
  return readStory(kept, 'The Verdict');
}

function ownStory(): Promise<Story> {
  return readStory(OWN_STORY, 'The Tide Clock');
}

async function readStory(path: string, source: string): Promise<Story> {
  const bytes = await readFileOrExplain(path, 'the text');
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new UserError(`${path} is not text in UTF-8: convert it, or give another file`);
  }
  if (text.trim() === '') throw new UserError(`${path} is empty: give a file with some text in it`);
  return { text, source, isVerdict: sha256(bytes) === VERDICT_SHA256 };
}
