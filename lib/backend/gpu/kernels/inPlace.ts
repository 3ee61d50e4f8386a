import type { Strided } from '../../kernels.ts';
import { sizeOf } from '../../strided.ts';
import { Decline, type Device } from '../device/device.ts';
import type { Value } from '../device/value.ts';
import { elementwise } from './elementwise.ts';
import type { GpuKernels } from './gpuKernels.ts';
import { kernelFunction } from './kernelFunction.ts';
import { copyOf, isWhole, rowMajorValue } from './views.ts';

/**
 * Writing into a part of a storage. A kernel of gpu.js gives one new array, which the storage gets: its old numbers, with
 * the part that the view shows replaced or added to.
 */

/** The part of a storage that a view covers, as a box: along x, y and z, where it begins and how far it goes. */
interface Box {
  /** Sizes of the whole storage along these axes. */
  readonly size: number[];
  readonly from: number[];
  readonly length: number[];
  /** The view's axes from the outermost in memory to the innermost. */
  readonly order: number[];
}

/** @throws Decline for a view with steps (every second row) or with more than three separate axes. */
function boxOf(view: Strided): Box {
  const order = view.shape
    .map((_, axis) => axis)
    .filter((axis) => view.shape[axis] > 1)
    .sort((a, b) => view.strides[b] - view.strides[a]);
  const size: number[] = [];
  const from: number[] = [];
  const length: number[] = [];
  let span = view.storage.length;
  let rest = view.offset;
  const addAxis = (stride: number, covered: number) => {
    if (stride <= 0 || span % stride !== 0) throw new Decline();
    const start = Math.floor(rest / stride);
    rest %= stride;
    if (start + covered > span / stride) throw new Decline();
    const last = size.length - 1;
    // An axis that is covered from end to end runs on from the one around it.
    if (last >= 0 && covered * stride === span) {
      const inner = span / stride;
      size[last] *= inner;
      from[last] *= inner;
      length[last] *= inner;
    } else {
      size.push(span / stride);
      from.push(start);
      length.push(covered);
    }
    span = stride;
  };
  for (const axis of order) addAxis(view.strides[axis], view.shape[axis]);
  if (span > 1) addAxis(1, 1);
  if (size.length > 3) throw new Decline();
  const toXyz = (list: number[], missing: number) =>
    [...list.toReversed(), missing, missing, missing].slice(0, 3);
  return { size: toXyz(size, 1), from: toXyz(from, 0), length: toXyz(length, 1), order };
}

function boxKernel(name: string, inside: string) {
  return kernelFunction(
    name,
    ['array', 'array', 'int', 'int', 'int', 'int', 'int', 'int'],
    `function (whole, part, fx, fy, fz, nx, ny, nz) {
      const old = whole[this.thread.z][this.thread.y][this.thread.x];
      if (this.thread.x < fx || this.thread.x >= fx + nx) return old;
      if (this.thread.y < fy || this.thread.y >= fy + ny) return old;
      if (this.thread.z < fz || this.thread.z >= fz + nz) return old;
      return ${inside};
    }`,
  );
}
const PART = 'part[this.thread.z - fz][this.thread.y - fy][this.thread.x - fx]';
const copyIntoBox = boxKernel('copyIntoBox', PART);
const addIntoBox = boxKernel('addIntoBox', `old + ${PART}`);

function writeBox(device: Device, target: Strided, source: Strided, add: boolean): Value {
  const { size, from, length, order } = boxOf(target);
  const inMemoryOrder: Strided = {
    storage: source.storage,
    shape: order.map((axis) => source.shape[axis]),
    strides: order.map((axis) => source.strides[axis]),
    offset: source.offset,
  };
  return device.launch(
    add ? addIntoBox : copyIntoBox,
    size,
    [
      { value: device.valueOf(target.storage), size },
      { value: rowMajorValue(device, inMemoryOrder), size: length },
      ...from,
      ...length,
    ],
    target.storage.dtype,
  );
}

export const inPlaceKernels: Pick<GpuKernels, 'copyInto' | 'addInto'> = {
  copyInto(device, target, source) {
    if (!device.wants(target, source)) return undefined;
    return [isWhole(target) ? copyOf(device, source) : writeBox(device, target, source, false)];
  },
  addInto(device, target, source) {
    if (!device.wants(target, source) || sizeOf(target.shape) === 0) return undefined;
    if (isWhole(target)) return [elementwise(device, 'add', 'a + b', [target, source])];
    return [writeBox(device, target, source, true)];
  },
};
