import type { Strided } from '../../kernels.ts';
import { isContiguous, sizeOf } from '../../strided.ts';
import { Decline, type Device, type LaunchArgument } from '../device/device.ts';
import type { Value } from '../device/value.ts';
import { kernelFunction } from './kernelFunction.ts';

/** Views as the device's kernels can follow them: in few axes, x running fastest, or as rows without gaps. */

/** Axes that run on into each other, in all views alike, made one; axes of length 1 left out. */
export function mergeAxes(views: readonly Strided[]): { shape: number[]; strides: number[][] } {
  const shape: number[] = [];
  const strides: number[][] = views.map(() => []);
  for (let axis = 0; axis < views[0].shape.length; axis++) {
    const length = views[0].shape[axis];
    if (length === 1) continue;
    const last = shape.length - 1;
    if (last >= 0 && views.every((view, v) => strides[v][last] === view.strides[axis] * length)) {
      shape[last] *= length;
      for (const [v, view] of views.entries()) strides[v][last] = view.strides[axis];
    } else {
      shape.push(length);
      for (const [v, view] of views.entries()) strides[v].push(view.strides[axis]);
    }
  }
  return { shape, strides };
}

/** Is the view the whole of its storage, in order? */
export function isWhole(x: Strided): boolean {
  return x.offset === 0 && isContiguous(x) && sizeOf(x.shape) === x.storage.length;
}

/** The value of a storage as a flat array, for kernels that compute places themselves. */
export function flat(device: Device, x: Strided): LaunchArgument {
  return { value: device.valueOf(x.storage), size: [x.storage.length] };
}

// Up to three axes are this.thread's own. A fourth is folded into z; `| 0` keeps the two parts integers.
const gather3 = kernelFunction(
  'gather3',
  ['array', 'int', 'int', 'int', 'int'],
  `function (x, from, sx, sy, sz) {
    return x[from + this.thread.x * sx + this.thread.y * sy + this.thread.z * sz];
  }`,
);
const gather4 = kernelFunction(
  'gather4',
  ['array', 'int', 'int', 'int', 'int', 'int', 'int'],
  `function (x, from, sx, sy, sz, sw, depth) {
    const w = Math.floor((this.thread.z + 0.5) / depth);
    const z = this.thread.z - w * depth;
    return x[from + this.thread.x * sx + this.thread.y * sy + (z | 0) * sz + (w | 0) * sw];
  }`,
);

/** A view's elements in row-major order: its storage's value, or a copy. */
export function rowMajorValue(device: Device, x: Strided): Value {
  return isWhole(x) ? device.valueOf(x.storage) : copyOf(device, x);
}

/** A row-major copy. */
export function copyOf(device: Device, x: Strided): Value {
  const { shape, strides } = mergeAxes([x]);
  if (shape.length > 4) throw new Decline();
  const [sx = 1, sy = 1, sz = 1, sw = 1] = shape.toReversed();
  const [dx = 0, dy = 0, dz = 0, dw = 0] = strides[0].toReversed();
  const { dtype } = x.storage;
  if (shape.length < 4) {
    const output = [sx, sy, sz].slice(0, Math.max(1, shape.length));
    return device.launch(gather3, output, [flat(device, x), x.offset, dx, dy, dz], dtype);
  }
  const args = [flat(device, x), x.offset, dx, dy, dz, dw, sz];
  return device.launch(gather4, [sx, sy, sz * sw], args, dtype);
}

/** A view's elements under the sizes [x, y?, z?], x running fastest. */
export function seenAs(device: Device, x: Strided, ...size: number[]): LaunchArgument {
  return { value: rowMajorValue(device, x), size };
}
