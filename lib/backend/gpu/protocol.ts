/**
 * The messages between the main thread and the worker that owns the GPU.
 *
 * The main thread queues commands, posts them in batches and goes on. Only `read` makes it wait. It then waits on a number
 * in shared memory, so the call stays synchronous although the worker is not.
 */

/** The ways of gpu.js to run a kernel, the best first. */
export const GPU_MODES = ['webgpu', 'headlessgl', 'webgl2', 'webasm', 'cpu'] as const;
export type GpuMode = (typeof GPU_MODES)[number];

/** The types of a kernel function's arguments: an array lives on the device, a number goes along with the call. */
export type ArgumentType = 'array' | 'int' | 'float';

/** A kernel function, as gpu.js gets it. */
export interface KernelDefinition {
  readonly name: string;
  /** The source of a JavaScript function of the subset that gpu.js translates. */
  readonly source: string;
  readonly argumentTypes: readonly ArgumentType[];
  /** How many numbers each thread returns: 1, or 4 that lie side by side in the result. */
  readonly width: 1 | 4;
}

/** An array on the device, seen as [x], [x, y] or [x, y, z], x running fastest; or a number. */
export type Argument = number | { readonly value: number; readonly size: readonly number[] };

export type Command =
  | { do: 'define'; kernel: number; definition: KernelDefinition }
  | { do: 'upload'; to: number; data: Float32Array }
  /** Calls the kernel once for each cell of `output`, and keeps the results on the device as value `to`. */
  | { do: 'run'; kernel: number; output: readonly number[]; args: readonly Argument[]; to: number }
  | { do: 'free'; values: readonly number[] }
  /** Copies the values, one after another, into shared memory, and counts up `REPLIES`. */
  | { do: 'read'; values: readonly number[]; into: SharedArrayBuffer }
  /** Breaks the device, as a driver does that resets it: for tests. */
  | { do: 'lose' };

/** Places in the shared Int32Array through which the two sides watch each other. */
export const STATE = 0;
export const REPLIES = 1;
/** A thread counts it up as long as the worker lives, however busy the worker is. */
export const PULSE = 2;
/** Bytes of the error text that follows, in the same shared memory. */
export const ERROR_LENGTH = 3;
export const CONTROL_WORDS = 4;
export const ERROR_BYTES = 1024;

export const RUNNING = 0;
export const FAILED = 1;
/**
 * The worker must end before its next command. If it is ended from outside in the middle of a call, WebGPU ends the whole
 * process.
 */
export const LEAVING = 2;

/** The worker's first message: the device that it has, or the reason why it has none. */
export type Greeting = { device: string; limits: Limits } | { unavailable: string };

/** The largest arrays that the device takes. */
export interface Limits {
  /** Numbers in one array. */
  readonly length: number;
  /** x and y of an output that has more than one size. */
  readonly side: number;
  /** z of an output that has three sizes. */
  readonly depth: number;
}
