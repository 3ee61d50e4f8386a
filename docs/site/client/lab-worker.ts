/** A worker whose functions are called like the page's own; they answer later. */

import { type Remote, releaseProxy, wrap } from 'comlink';
import { NO_WEB_ASSEMBLY, type Report } from '../worker/lab-messages.ts';

type Kind<K extends string> = Extract<Report, Record<K, unknown>>;

export class LabWorker<Functions extends object> {
  /** A worker that has died is replaced when the lab opens again. */
  isBroken = false;
  readonly #name: 'lab' | 'classify';
  readonly #listeners: ((report: Report) => void)[] = [];
  #worker!: Worker;
  #functions!: Remote<Functions>;
  /** Rejects when the worker dies: its open questions would wait for ever. */
  #death!: Promise<never>;

  /** @param name of the worker's program: the start page has a smaller one */
  constructor(name: 'lab' | 'classify') {
    this.#name = name;
    this.start();
  }

  /** A new worker, which knows nothing of the last one. */
  start(): void {
    this.#worker?.terminate();
    this.isBroken = false;
    this.#worker = new Worker(new URL(`${this.#name}.js`, import.meta.url), { type: 'module' });
    this.#functions = wrap<Functions>(this.#worker);
    this.#worker.addEventListener('message', ({ data }: MessageEvent<Report>) => {
      for (const listener of this.#listeners) listener(data);
    });
    this.#death = new Promise((_, reject) => {
      this.#worker.onerror = (event) => {
        event.preventDefault();
        this.isBroken = true;
        const isMissing = /WebAssembly is not defined|find variable: WebAssembly/.test(event.message);
        const otherwise = event.message || 'the program of this page could not be loaded: reload the page';
        const error = new Error(isMissing ? NO_WEB_ASSEMBLY : otherwise);
        reject(error);
        this.onDeath(error);
      };
    });
    this.#death.catch(() => {}); // everybody who waits for an answer is told, and so is `onDeath`
  }

  /** Calls a function of the worker. @throws Error with the worker's message, or if the worker dies */
  ask<Answer>(question: (functions: Remote<Functions>) => Promise<Answer>): Promise<Answer> {
    return Promise.race([question(this.#functions), this.#death]);
  }

  /** Listens to what the worker reports by itself, of one kind. */
  on<K extends 'loading' | 'loss' | 'validLoss' | 'kept'>(
    kind: K,
    listener: (report: Kind<K>) => void,
  ): void {
    this.#listeners.push((report) => {
      if (typeof report === 'object' && report !== null && kind in report) listener(report as Kind<K>);
    });
  }

  onDeath: (error: Error) => void = () => {};

  stop(): void {
    this.#functions[releaseProxy]();
    this.#worker.terminate();
  }
}
