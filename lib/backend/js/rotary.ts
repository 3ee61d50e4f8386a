import type { Strided } from '../kernels.ts';
import type { Storage } from '../storage.ts';
import { newFloats, rowMajor, sizeOf } from '../strided.ts';

/** (a, b) → (a cos − b sin, b cos + a sin) for the points of the plane whose two numbers stand d/2 apart: see Kernels. */
export function rotary(x: Strided, cos: Strided, sin: Strided, back: boolean): Storage {
  const [tokens, half] = cos.shape;
  const input = rowMajor(x);
  const cosines = rowMajor(cos);
  const sines = rowMajor(sin);
  const turn = back ? -1 : 1;
  const out = newFloats(sizeOf(x.shape));
  const rows = sizeOf(x.shape.slice(0, -1));
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < half; i++) {
      const first = row * 2 * half + i;
      const angle = (row % tokens) * half + i;
      const [a, b] = [input[first], input[first + half]];
      const [c, s] = [cosines[angle], turn * sines[angle]];
      out.data[first] = a * c - b * s;
      out.data[first + half] = b * c + a * s;
    }
  }
  return out.storage;
}
