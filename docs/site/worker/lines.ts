/** The lines that a program prints: each at once, and those of a flood together, so that the page is not buried in messages. */

export interface Line {
  line: string;
  isError?: boolean;
}

/** In so many milliseconds so many lines go out singly. */
const [WINDOW_MS, SINGLY] = [50, 100];

export class Lines {
  readonly #post: (message: Line | { lines: Line[] }) => void;
  #window = 0;
  #singly = 0;
  #held: Line[] = [];

  constructor(post: (message: Line | { lines: Line[] }) => void) {
    this.#post = post;
  }

  add(line: Line): void {
    const now = performance.now();
    if (now - this.#window > WINDOW_MS) {
      this.flush();
      [this.#window, this.#singly] = [now, 0];
    }
    if (this.#singly++ < SINGLY) this.#post(line);
    else if (this.#held.push(line) === 1) setTimeout(() => this.flush(), WINDOW_MS);
  }

  /** Sends what is held back. */
  flush(): void {
    if (this.#held.length === 0) return;
    this.#post({ lines: this.#held });
    this.#held = [];
  }
}

/** A value as a line has it; some cannot be made a text, such as an object without a prototype. */
export function inWords(value: unknown): string {
  try {
    return String(value);
  } catch {
    return Object.prototype.toString.call(value);
  }
}
