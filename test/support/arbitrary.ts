import fc from 'fast-check';
import { type Tensor, tensor } from '../../lib/index.ts';

/** A shape of up to `rank` axes, with few elements. */
export const shapes = ({ rank = 4, longest = 4, shortest = 1 } = {}) =>
  fc.array(fc.integer({ min: shortest, max: longest }), { maxLength: rank });

/** Two or more shapes that broadcast with each other: axes of one are lost or squeezed to 1 at random. */
export const broadcastable = (count: number) =>
  shapes().chain((full) =>
    fc.tuple(
      ...Array.from({ length: count }, () =>
        fc
          .tuple(
            fc.nat(full.length),
            fc.array(fc.boolean(), { minLength: full.length, maxLength: full.length }),
          )
          .map(([lost, kept]) => full.map((length, axis) => (kept[axis] ? length : 1)).slice(lost)),
      ),
    ),
  );

export const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** 0, 1, 2, … in that shape: every element another number, small enough for float32 to be exact. */
export const counting = (shape: readonly number[], first = 0): Tensor =>
  tensor(Float64Array.from({ length: sizeOf(shape) }, (_, i) => first + i)).reshape([...shape]);

/** All positions of a shape in row-major order. */
export function* positions(shape: readonly number[]): Generator<number[]> {
  for (let i = 0; i < sizeOf(shape); i++) {
    let rest = i;
    const index = shape.toReversed().map((length) => {
      const at = rest % length;
      rest = Math.floor(rest / length);
      return at;
    });
    yield index.reverse();
  }
}

/** A file cut short anywhere, with one of its bytes changed. */
export const damaged = (file: Uint8Array) =>
  fc.tuple(fc.nat(file.length - 1), fc.nat(255), fc.nat(file.length)).map(([place, value, length]) => {
    const bytes = file.slice(0, length);
    if (place < length) bytes[place] = value;
    return bytes;
  });
