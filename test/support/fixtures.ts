import { readFileSync } from 'node:fs';
import { type Tensor, tensor } from '../../lib/index.ts';

/** What a script of test/fixtures/ wrote with PyTorch. */
// biome-ignore lint/suspicious/noExplicitAny: each fixture has a form of its own, described in its script
export function loadFixture(name: string): any {
  return JSON.parse(readFileSync(new URL(`../fixtures/${name}.json`, import.meta.url), 'utf8'));
}

/** float32 values from the hexadecimal of their bits (see test/fixtures/encode.py): exact, NaN and ∞ included. */
export function floatsFromHex(hex: string): Float32Array {
  const bytes = Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
  return new Float32Array(bytes.buffer);
}

/** The bits of float32 values as hexadecimal. */
export function hexOfFloats(values: ArrayLike<number>): string {
  return Buffer.from(Float32Array.from(values).buffer).toString('hex');
}

/** A tensor as fixtures/encode.py writes it. */
export interface EncodedTensor {
  shape: number[];
  dtype: 'float32' | 'int32' | 'bool';
  floats?: string;
  ints?: number[];
}

export function decodeTensor({ shape, dtype, floats, ints }: EncodedTensor): Tensor {
  const values = floats === undefined ? Float64Array.from(ints!) : floatsFromHex(floats);
  return tensor(values, { dtype }).reshape(shape);
}
