import type { Strided } from '../../kernels.ts';

/** The dimensions that several views of one shape share, outermost first: as few as describe them all. */
export interface Folded {
  lengths: number[];
  /** For each view, the elements from one index to the next along each dimension. */
  strides: number[][];
}

/** Leaves out dimensions of length 1 and joins neighbours that every view runs through in one go. */
export function fold(shape: readonly number[], views: readonly Pick<Strided, 'strides'>[]): Folded {
  const lengths: number[] = [];
  const strides: number[][] = views.map(() => []);
  for (let axis = 0; axis < shape.length; axis++) {
    const length = shape[axis];
    if (length === 1) continue;
    const last = lengths.length - 1;
    const joins = last >= 0 && views.every((view, v) => strides[v][last] === view.strides[axis] * length);
    if (joins) lengths[last] *= length;
    else lengths.push(length);
    views.forEach((view, v) => {
      strides[v][joins ? last : last + 1] = view.strides[axis];
    });
  }
  if (lengths.length === 0) {
    lengths.push(1);
    for (const list of strides) list.push(1);
  }
  return { lengths, strides };
}
