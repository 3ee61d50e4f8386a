/**
 * What a program writes: lines on stdout, and on stderr, if that is a terminal, one line of progress that is drawn over
 * and over. No state of the terminal is ever changed (no hidden cursor, no switched-off wrapping), so there is nothing to
 * restore when the program is killed.
 */

import { type ProgressDisplay, setProgressDisplay } from './progress.ts';

const REDRAW_MS = 100;
/** Without a terminal, a line now and then: part of what a chapter prints, or apart where stdout is data. */
const LINE_EVERY_SECONDS = 15;

const CLEAR_LINE = '\r\x1b[K';

/** Progress on a stream: a line drawn over itself on a terminal, else a plain line every 15 seconds. */
export class StreamProgress implements ProgressDisplay {
  private readonly stream: NodeJS.WriteStream;
  private readonly log: NodeJS.WriteStream;
  private drawnAt = Number.NEGATIVE_INFINITY;
  private isDrawn = false;
  private lastLine = 0;

  /** @param log where the plain lines go if `stream` is no terminal */
  constructor(stream: NodeJS.WriteStream = process.stderr, log = stream) {
    this.stream = stream;
    this.log = log;
  }

  show(line: string, seconds: number): void {
    if (this.stream.isTTY) this.draw(line);
    else if (seconds - this.lastLine >= LINE_EVERY_SECONDS) {
      this.lastLine = seconds;
      this.log.write(`${line.trimStart()}\n`);
    }
  }

  /** Cut to the terminal's width, less a column: a line that reaches the edge would wrap. */
  private draw(line: string): void {
    const now = performance.now();
    if (now - this.drawnAt < REDRAW_MS) return;
    this.drawnAt = now;
    this.isDrawn = true;
    this.stream.write(CLEAR_LINE + [...line].slice(0, (this.stream.columns || 80) - 1).join(''));
  }

  clear(): void {
    this.lastLine = 0;
    if (!this.isDrawn) return;
    this.isDrawn = false;
    this.stream.write(CLEAR_LINE);
  }
}

/**
 * Takes the terminal for this program: progress is shown from now on, without a terminal as lines of `log`. Returns what
 * prints a line: where the progress stands, if it does; the next update draws it again below.
 */
export function openTerminal(log: NodeJS.WriteStream = process.stderr): (line: string) => void {
  const display = new StreamProgress(process.stderr, log);
  setProgressDisplay(display);
  // `npm run chapter02 | head -3`: whoever reads has seen enough, and the program ends silently.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  return (line) => {
    display.clear();
    console.log(line);
  };
}
