import {
  CONTROL_WORDS,
  type Command,
  ERROR_BYTES,
  ERROR_LENGTH,
  FAILED,
  type KernelDefinition,
  LEAVING,
  REPLIES,
  RUNNING,
  STATE,
} from '../protocol.ts';
import type { Engine, EngineArgument } from './engine.ts';

/** Carries out the commands one after another, in the worker. After an error it carries out no more: see `FAILED`. */
export class Executor {
  readonly #engine: Engine;
  readonly #control: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #kernels = new Map<number, KernelDefinition>();
  readonly #values = new Map<number, unknown>();
  readonly #leave: () => void;

  /** `leave` ends the worker. */
  constructor(engine: Engine, control: SharedArrayBuffer, leave: () => void) {
    this.#engine = engine;
    this.#leave = leave;
    this.#control = control;
    this.#words = new Int32Array(control, 0, CONTROL_WORDS);
  }

  async execute(commands: readonly Command[]): Promise<void> {
    for (const command of commands) {
      if (Atomics.load(this.#words, STATE) !== RUNNING) break;
      try {
        await this.#do(command);
      } catch (error) {
        this.#fail(error as Error);
      }
    }
    if (Atomics.load(this.#words, STATE) === LEAVING) this.#leave();
  }

  async #do(command: Command): Promise<void> {
    switch (command.do) {
      case 'define':
        this.#kernels.set(command.kernel, command.definition);
        break;
      case 'upload':
        this.#values.set(command.to, await this.#engine.upload(command.data));
        break;
      case 'run': {
        const kernel = this.#kernels.get(command.kernel)!;
        const args = command.args.map(
          (arg): EngineArgument<unknown> =>
            typeof arg === 'number' ? arg : { value: this.#values.get(arg.value), size: arg.size },
        );
        this.#values.set(command.to, await this.#engine.run(kernel, command.output, args));
        break;
      }
      case 'free':
        for (const id of command.values) {
          this.#engine.free(this.#values.get(id));
          this.#values.delete(id);
        }
        break;
      case 'read':
        await this.#read(command.values, command.into);
        break;
      case 'lose':
        this.#engine.lose();
        break;
    }
  }

  async #read(values: readonly number[], into: SharedArrayBuffer): Promise<void> {
    const out = new Float32Array(into);
    let at = 0;
    for (const id of values) {
      const data = await this.#engine.read(this.#values.get(id));
      out.set(data, at);
      at += data.length;
    }
    this.#reply();
  }

  #reply(): void {
    Atomics.add(this.#words, REPLIES, 1);
    Atomics.notify(this.#words, REPLIES);
  }

  #fail(error: Error): void {
    const text = new TextEncoder().encode(error.message.split('\n')[0]).subarray(0, ERROR_BYTES);
    new Uint8Array(this.#control, CONTROL_WORDS * 4, ERROR_BYTES).set(text);
    Atomics.store(this.#words, ERROR_LENGTH, text.length);
    Atomics.compareExchange(this.#words, STATE, RUNNING, FAILED);
    // A thread that waits has to see that no answer will come.
    this.#reply();
  }
}
