/** The lab's worker, asked like functions that answer later. */

import type { Ask, Lab, Told } from '../worker/lab-messages.ts';

type Told1<K extends string> = Extract<Told, Record<K, unknown>>;

export class LabWorker {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, { resolve: (answer: never) => void; reject: (error: Error) => void }>();
  readonly #listeners: ((told: Told) => void)[] = [];
  #lastId = 0;

  /** @param name of the worker's program: the start page has a smaller one */
  constructor(name: 'lab' | 'classify' = 'lab') {
    this.#worker = new Worker(new URL(`${name}.js`, import.meta.url), { type: 'module' });
    this.#worker.onmessage = ({ data }: MessageEvent<Told>) => {
      if (!('id' in data)) for (const listener of this.#listeners) listener(data);
      else if ('mistake' in data) this.#fail(data.id, data.mistake);
      else {
        this.#waiting.get(data.id)?.resolve(data.answer as never);
        this.#waiting.delete(data.id);
      }
    };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      for (const id of this.#waiting.keys()) this.#fail(id, event.message || 'the lab could not be loaded');
    };
  }

  ask<K extends keyof Lab>(name: K, about: Parameters<Lab[K]>[0]): Promise<Awaited<ReturnType<Lab[K]>>> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, name, about } as Ask);
    });
  }

  /** Files that the worker should find, such as an earlier checkpoint. */
  give(files: Record<string, Uint8Array>): void {
    this.#worker.postMessage({ files });
  }

  /** Listens to what the worker reports by itself, of one kind. */
  on<K extends 'loading' | 'loss' | 'validLoss' | 'kept' | 'finished'>(
    kind: K,
    listener: (told: Told1<K>) => void,
  ) {
    this.#listeners.push((told) => {
      if (kind in told) listener(told as Told1<K>);
    });
  }

  /** What goes wrong while it trains answers no question. */
  onFailure: (message: string) => void = () => {};

  #fail(id: number, mistake: string): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (waiting) waiting.reject(new Error(mistake));
    else this.onFailure(mistake);
  }
}
