/** A program in a worker of its own, as a process: it starts, reports, and can be stopped or paused. */

import type { FromProgram, ToProgram } from '../worker/messages.ts';

export class Program {
  readonly #worker = new Worker(new URL('program.js', import.meta.url), { type: 'module' });
  readonly #onMessage: (message: FromProgram) => void;
  #hasEnded = false;

  constructor(start: Extract<ToProgram, { files: unknown }>, onMessage: (message: FromProgram) => void) {
    this.#onMessage = onMessage;
    this.#worker.onmessage = ({ data }) => this.#tell(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#tell({ mistake: event.message || 'the program could not be loaded: reload the page' });
      this.#tell({ ended: 1 });
    };
    this.#worker.postMessage(start);
  }

  /** Ctrl-C: the program saves its work. If it does not answer in time, it is ended. */
  stop(patienceMs: number): void {
    this.#worker.postMessage({ signal: 'SIGINT' } satisfies ToProgram);
    setTimeout(() => this.end(), patienceMs);
  }

  /** Ends the program at once. */
  end(): void {
    this.#tell({ ended: 130 });
  }

  rest(rest: boolean): void {
    this.#worker.postMessage({ rest } satisfies ToProgram);
  }

  #tell(message: FromProgram): void {
    if (this.#hasEnded) return;
    this.#onMessage(message);
    if (!('ended' in message)) return;
    this.#hasEnded = true;
    this.#worker.terminate();
  }
}
