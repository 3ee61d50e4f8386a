import {
  type Argument,
  CONTROL_WORDS,
  type Command,
  ERROR_BYTES,
  ERROR_LENGTH,
  FAILED,
  type GpuMode,
  type KernelDefinition,
  type Limits,
  PULSE,
  REPLIES,
  STATE,
} from '../protocol.ts';
import type { Traffic } from './traffic.ts';

/** A worker, in Node or in a browser. */
export interface WorkerPort {
  post(commands: readonly Command[], transfer: readonly ArrayBuffer[]): void;
  /** Called when the worker has ended. */
  onEnd(listener: () => void): void;
  terminate(): void;
}

/** Starts a worker and waits for its greeting; a mode that cannot run here need not be started at all. */
export type SpawnWorker = (
  mode: GpuMode,
  control: SharedArrayBuffer,
) => Promise<{ port: WorkerPort; device: string; limits: Limits } | { unavailable: string }>;

/** Commands are posted in batches: each post costs about as much as ten commands. */
const BATCH = 32;
/** The worker's pulse may be silent for this long. The machine may be busy, so the time is generous. */
const SILENCE_MS = 4000;
const LOOK_EVERY_MS = 250;

/** The main thread's end: queues commands for the worker, and waits for the answers to its reads. */
export class Bridge {
  readonly mode: GpuMode;
  readonly device: string;
  readonly limits: Limits;
  readonly traffic: Traffic = { bytesUp: 0, bytesDown: 0, waits: 0, launches: 0 };
  readonly #port: WorkerPort;
  readonly #control: SharedArrayBuffer;
  readonly #words: Int32Array;
  #queue: Command[] = [];
  #transfer: ArrayBuffer[] = [];
  #staging = new SharedArrayBuffer(1 << 16);
  #lost: string | undefined;

  /** Starts the worker for one mode. If that mode cannot run here, returns the reason in one line. */
  static async open(mode: GpuMode, spawn: SpawnWorker): Promise<Bridge | { unavailable: string }> {
    const control = new SharedArrayBuffer(CONTROL_WORDS * 4 + ERROR_BYTES);
    const answer = await spawn(mode, control);
    return 'unavailable' in answer ? answer : new Bridge(mode, answer, control);
  }

  private constructor(
    mode: GpuMode,
    { port, device, limits }: { port: WorkerPort; device: string; limits: Limits },
    control: SharedArrayBuffer,
  ) {
    this.mode = mode;
    this.device = device;
    this.limits = limits;
    this.#port = port;
    this.#control = control;
    this.#words = new Int32Array(control, 0, CONTROL_WORDS);
    port.onEnd(() => {
      this.#lost ??= 'its worker has ended';
    });
  }

  /** Why the device can no longer be used, if so. */
  get lost(): string | undefined {
    if (Atomics.load(this.#words, STATE) === FAILED) this.#lost ??= this.#errorText();
    return this.#lost;
  }

  define(kernel: number, definition: KernelDefinition): void {
    this.#enqueue({ do: 'define', kernel, definition });
  }

  /** The worker gets the data without a copy: the caller gives them away. */
  upload(to: number, data: Float32Array<ArrayBuffer>): void {
    this.traffic.bytesUp += data.byteLength;
    this.#transfer.push(data.buffer);
    this.#enqueue({ do: 'upload', to, data });
  }

  run(kernel: number, output: readonly number[], args: readonly Argument[], to: number): void {
    this.traffic.launches++;
    this.#enqueue({ do: 'run', kernel, output, args, to });
  }

  free(values: readonly number[]): void {
    this.#enqueue({ do: 'free', values });
  }

  /** Breaks the device, or ends the worker without a word, for tests. */
  lose(what: 'device' | 'worker'): void {
    if (what === 'worker') this.#port.terminate();
    else this.#enqueue({ do: 'lose' });
  }

  /**
   * Waits until the worker has done everything that was asked, and returns the numbers of these values, one after another.
   * The next read writes over their memory. `undefined` if the device is lost in the meantime.
   */
  read(values: readonly number[], length: number): Float32Array | undefined {
    if (length * 4 > this.#staging.byteLength) this.#staging = new SharedArrayBuffer(length * 4);
    const before = Atomics.load(this.#words, REPLIES);
    this.#enqueue({ do: 'read', values, into: this.#staging });
    this.flush();
    this.#waitForReply(before);
    if (this.lost) return undefined;
    this.traffic.waits++;
    this.traffic.bytesDown += length * 4;
    return new Float32Array(this.#staging, 0, length);
  }

  /** Sends the queued commands. */
  flush(): void {
    if (this.#queue.length === 0) return;
    this.#port.post(this.#queue, this.#transfer);
    this.#queue = [];
    this.#transfer = [];
  }

  /** Stops the worker. From then on `lost` gives the reason. */
  close(reason: string): void {
    this.#lost ??= reason;
    this.#port.terminate();
  }

  #enqueue(command: Command): void {
    this.#queue.push(command);
    if (this.#queue.length >= BATCH) this.flush();
  }

  #waitForReply(before: number): void {
    let pulse = Atomics.load(this.#words, PULSE);
    let silentSince = performance.now();
    while (Atomics.load(this.#words, REPLIES) === before && !this.lost) {
      Atomics.wait(this.#words, REPLIES, before, LOOK_EVERY_MS);
      const now = Atomics.load(this.#words, PULSE);
      if (now !== pulse) {
        pulse = now;
        silentSince = performance.now();
      } else if (performance.now() - silentSince > SILENCE_MS) {
        this.#lost ??= 'its worker does not answer';
      }
    }
  }

  #errorText(): string {
    const length = Atomics.load(this.#words, ERROR_LENGTH);
    // TextDecoder refuses shared memory, so the bytes are copied first.
    const bytes = new Uint8Array(this.#control, CONTROL_WORDS * 4, length).slice();
    return new TextDecoder().decode(bytes);
  }
}
