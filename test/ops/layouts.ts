import { type Tensor, zeros } from '../../lib/index.ts';

/**
 * The same numbers lying in memory in other ways: what a kernel has to see through shape, strides and offset.
 * `x` has the numbers of the tensor given; its gradient arrives in `leaf`.
 */
export interface Layout {
  readonly name: string;
  readonly fits: (shape: readonly number[]) => boolean;
  readonly of: (values: Tensor) => Tensor;
}

/** A larger tensor of sevens, with the values put where `window` looks. */
function inside(values: Tensor, shape: number[], window: (t: Tensor) => Tensor): Tensor {
  const room = zeros(shape, { dtype: values.dtype }).add(7).to(values.dtype);
  const view = window(room);
  view.copyInPlace(values);
  return view;
}

export const LAYOUTS: readonly Layout[] = [
  {
    name: 'transposed',
    fits: (shape) => shape.length >= 2,
    of: (x) => x.transpose(0, -1).contiguous().transpose(0, -1),
  },
  {
    name: 'with the last two axes swapped',
    fits: (shape) => shape.length >= 3,
    of: (x) => x.transpose(-2, -1).contiguous().transpose(-2, -1),
  },
  {
    name: 'a window of a larger tensor',
    fits: () => true,
    of: (x) =>
      inside(x, [3, ...x.shape.map((length) => length + 2)], (room) =>
        x.shape.reduce((t, length, axis) => t.narrow(axis, 1, length), room.select(0, 1)),
      ),
  },
  {
    name: 'every second element',
    fits: (shape) => shape.length >= 1,
    of: (x) => {
      const last = x.shape.length - 1;
      return inside(x, x.shape.with(last, 2 * x.shape[last]), (room) => room.slice(last, 0, undefined, 2));
    },
  },
];

/** The first slice of the first axis, repeated with stride 0: other numbers than those given. */
export function repeated(x: Tensor): Tensor {
  return x.slice(0, 0, 1).contiguous().expand(x.shape);
}
