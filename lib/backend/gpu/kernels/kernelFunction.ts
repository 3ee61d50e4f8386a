import type { ArgumentType, KernelDefinition } from '../protocol.ts';

/**
 * A function that gpu.js runs once for each cell of the output, `this.thread` being the cell's place.
 *
 * Arrays come with the sizes that the call gives them: `a[z][y][x]`, `a[y][x]` or flat, `a[i]`. gpu.js keeps
 * numbers in float32, integers too once they are in a variable, so a place beyond 2²⁴ must be computed where
 * it is used, from `int` arguments and `this.thread`: those stay integers.
 */
export interface Thread {
  readonly thread: { readonly x: number; readonly y: number; readonly z: number };
}

export type Row = number[];
export type Matrix = number[][];
export type Batch = number[][][];

// biome-ignore lint/suspicious/noExplicitAny: a kernel's parameters are described by the types beside it.
type KernelSource = string | ((this: Thread, ...args: any[]) => number | number[]);

/** Describes a kernel function for gpu.js, by its parameters' types in order. */
export function kernelFunction(
  name: string,
  argumentTypes: readonly ArgumentType[],
  source: KernelSource,
  width: 1 | 4 = 1,
): KernelDefinition {
  return { name, source: String(source), argumentTypes, width };
}
