import type { Strided } from '../../kernels.ts';
import { Storage } from '../../storage.ts';
import { product } from '../kernels/matmul.ts';
import { runOnCpu } from './cpu.ts';
import type { Device } from './device.ts';
import { compare } from './verify.ts';

/**
 * Multiplies small matrices in every layout, none of them square, before anything else is done on a device.
 * Returns what is wrong, if anything is. @throws DeviceLostError
 */
export function selfTest(device: Device): string | undefined {
  for (const batch of [1, 2]) {
    for (const [layout, n] of [
      ['NN', 7],
      ['NN', 8],
      ['NT', 7],
      ['NT', 8],
      ['TN', 7],
      ['TN', 8],
    ] as const) {
      const a = matrices(batch, 5, 3, layout[0] === 'T');
      const b = matrices(batch, 3, n, layout[1] === 'T');
      const [value] = device.operation(() => [product(device, a, b)])!;
      const wrong = compare(runOnCpu('matmul', [a, b])[0], device.fetch(value));
      device.release(value);
      if (wrong) return `a product (${layout}, ${batch > 1 ? 'batched' : 'plain'}) gave ${wrong}`;
    }
  }
  return undefined;
}

/** [batch, rows, columns] of numbers without a pattern, transposed in memory if asked. */
function matrices(batch: number, rows: number, columns: number, transposed: boolean): Strided {
  const numbers = Float32Array.from({ length: batch * rows * columns }, (_, i) => Math.sin(i * i + 1));
  const block = rows * columns;
  const strides = transposed ? [block, 1, rows] : [block, columns, 1];
  return { storage: Storage.of(numbers), shape: [batch, rows, columns], strides, offset: 0 };
}
