import type { Result } from '../../../../chapters/commands/compare/one-run.ts';

/** A result that no training has made. */
export function someResult({ test = 0.9, seconds = 10 }: { test?: number; seconds?: number }): Result {
  return {
    ...{ trained: 258, all: 7_259_266, accuracy: { train: 0.95, valid: 0.92, test } },
    ...{ seconds, processorSeconds: 2 * seconds, threads: 2, load: 2.5, peakMemory: 6e8 },
    examples: { spam: 0.9, ham: 0.1 },
  };
}
