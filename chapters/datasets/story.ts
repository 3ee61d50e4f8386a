import { fileURLToPath } from 'node:url';
import { type DataSet, keptAt } from './obtain.ts';
import { decodeText, readText, requireText } from './text.ts';

/** “The Tide Clock”, written for this project: shorter, and other figures come out. */
const OWN_STORY = fileURLToPath(new URL('./the-tide-clock.txt', import.meta.url));

/**
 * The short story that chapters 2 and 5 and appendix D read: Edith Wharton's “The Verdict” (1908), in the form that
 * the book uses. The figures depend on every character.
 */
export const STORY: DataSet<string> = {
  name: 'The Verdict',
  option: 'text',
  file: 'the-verdict.txt',
  urls: [
    'https://raw.githubusercontent.com/rasbt/LLMs-from-scratch/main/ch02/01_main-chapter-code/the-verdict.txt',
  ],
  sha256: 'b41e41a68f0398a3154ae69e2e4c0e2694e17fe0d66730536837f1b01935b31f',
  parse: (bytes, path) => requireText(decodeText(bytes, path), path),
  standIn: { keyword: 'own', name: 'The Tide Clock', make: () => readText(OWN_STORY) },
};

/** The option for a chapter's command line. */
export const TEXT_OPTION = {
  text: {
    type: 'path',
    access: 'read',
    words: ['own'],
    otherwise: keptAt(STORY),
    help: "the text to read: a file, or 'own' for the story written for this project (default: The Verdict, downloaded once)",
    placeholder: 'PATH',
  },
} as const;
