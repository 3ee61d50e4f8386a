/** What the page and the worker of a program say to each other. */

export type ToProgram =
  /** `npm run CHAPTER -- ARGS` */
  | { run: string; args: string[]; files: Record<string, Uint8Array> }
  /** The code of an example, as if it stood in that folder. */
  | { code: string; folder: string; files: Record<string, Uint8Array> }
  /** The same, held to the tests of that exercise. */
  | { code: string; folder: string; exercise: number; files: Record<string, Uint8Array> }
  /** Ctrl-C. */
  | { signal: 'SIGINT' }
  | { rest: boolean };

export type FromProgram =
  | { line: string; isError?: boolean }
  /** Many at once. */
  | { lines: { line: string; isError?: boolean }[] }
  /** A cell of the notebook: what has been printed so far, and the book's figure with what differs from it. */
  | { cell: number; printed: string; book?: BookFigure }
  | { progress: string }
  | { file: string; bytes: Uint8Array }
  /** A checkpoint was read. */
  | { taken: string }
  | { ended: number }
  /** A mistake in an example, with its line, counted from 1. */
  | { mistake: string; at?: number };

export interface BookFigure {
  what: string;
  printed: string;
  /** Nothing if the figures are equal, to the last printed digit. */
  difference?: string;
  /** Why it cannot be otherwise. */
  why?: string;
}
