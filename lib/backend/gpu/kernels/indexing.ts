import type { Strided } from '../../kernels.ts';
import { type ElementType, Storage } from '../../storage.ts';
import { rowMajor, sizeOf } from '../../strided.ts';
import type { Device } from '../device/device.ts';
import type { GpuKernels } from './gpuKernels.ts';
import { type Batch, kernelFunction, type Matrix, type Row, type Thread } from './kernelFunction.ts';
import { isWhole, rowMajorValue, seenAs } from './views.ts';

const embedding = kernelFunction(
  'embedding',
  ['array', 'array'],
  function (this: Thread, weight: Matrix, ids: Row) {
    return weight[ids[this.thread.y]][this.thread.x];
  },
);

/**
 * Adds to each row of the table the gradients of the places where it was looked up. Threads cannot add into
 * the same number, so each gathers its own: `order` has the places sorted by id, those of row y from
 * `begin[y]` to `begin[y + 1]`.
 */
const embeddingBackward = kernelFunction(
  'embeddingBackward',
  ['array', 'array', 'array', 'array', 'int'],
  function (this: Thread, table: Matrix, g: Matrix, order: Row, begin: Row, longest: number) {
    let sum = table[this.thread.y][this.thread.x];
    const from = begin[this.thread.y];
    const to = begin[this.thread.y + 1];
    for (let i = 0; i < longest; i++) {
      if (from + i < to) sum += g[order[from + i]][this.thread.x];
    }
    return sum;
  },
);

const gather = kernelFunction('gather', ['array', 'array'], function (this: Thread, x: Batch, index: Batch) {
  return x[this.thread.z][index[this.thread.z][this.thread.y][this.thread.x]][this.thread.x];
});

const scatterAdd = kernelFunction(
  'scatterAdd',
  ['array', 'array', 'array', 'int'],
  function (this: Thread, target: Batch, index: Batch, g: Batch, length: number) {
    let sum = target[this.thread.z][this.thread.y][this.thread.x];
    for (let i = 0; i < length; i++) {
      if (index[this.thread.z][i][this.thread.x] === this.thread.y) sum += g[this.thread.z][i][this.thread.x];
    }
    return sum;
  },
);

/** Multiply-adds to expect of each number that is looked up: a lookup goes where the products after it will be. */
const PRODUCTS_AFTER = 512;
/** Every element of a scatter's target looks at the whole index, so that must be short. */
const LONGEST_INDEX = 256;

/** The places sorted by id, and where each id's places begin. */
function placesById(ids: Int32Array, rows: number) {
  const begin = new Int32Array(rows + 1);
  for (const id of ids) begin[id + 1]++;
  let longest = 1;
  for (let id = 0; id < rows; id++) {
    longest = Math.max(longest, begin[id + 1]);
    begin[id + 1] += begin[id];
  }
  const next = begin.slice(0, rows);
  const order = new Int32Array(ids.length);
  for (let place = 0; place < ids.length; place++) order[next[ids[place]]++] = place;
  return { order: Storage.of(order), begin: Storage.of(begin), longest };
}

/** Sizes for arrays in which `axis` is the middle one: [inner, length, outer]. */
function around(shape: readonly number[], axis: number): [number, number, number] {
  return [sizeOf(shape.slice(axis + 1)), shape[axis], sizeOf(shape.slice(0, axis))];
}

/** gather's formula needs index and x to agree on all other axes; the seam lets the index be shorter there. */
function agree(x: Strided, axis: number, index: Strided): boolean {
  return x.shape.every((length, i) => i === axis || length === index.shape[i]);
}

function whole(device: Device, storage: Storage) {
  return { value: device.valueOf(storage), size: [storage.length] };
}

export const indexingKernels: Pick<
  GpuKernels,
  'embedding' | 'embeddingBackwardInto' | 'gather' | 'scatterAddInto'
> = {
  embedding(device, weight, ids) {
    const [rows, d] = weight.shape;
    const n = sizeOf(ids.shape);
    const worthIt = device.residency && n * d * PRODUCTS_AFTER >= device.smallestProduct;
    if (!isWhole(weight) || !(device.wants(weight, ids) || worthIt)) return undefined;
    return [device.launch(embedding, [d, n], [seenAs(device, weight, d, rows), seenAs(device, ids, n)])];
  },
  embeddingBackwardInto(device, target, ids, g) {
    if (!device.wants(target, g) || !isWhole(target)) return undefined;
    const [rows, d] = target.shape;
    const { order, begin, longest } = placesById(rowMajor<Int32Array>(ids), rows);
    const table = { value: device.valueOf(target.storage), size: [d, rows] };
    const upstream = seenAs(device, g, d, sizeOf(ids.shape));
    const args = [table, upstream, whole(device, order), whole(device, begin), longest];
    return [device.launch(embeddingBackward, [d, rows], args)];
  },
  gather(device, x, axis, index) {
    if (!device.wants(x) || !agree(x, axis, index)) return undefined;
    const dtype: ElementType = x.storage.dtype;
    const size = around(index.shape, axis);
    const args = [seenAs(device, x, ...around(x.shape, axis)), seenAs(device, index, ...size)];
    return [device.launch(gather, size, args, dtype)];
  },
  scatterAddInto(device, target, axis, index, g) {
    const [, length] = around(index.shape, axis);
    const fits = length <= LONGEST_INDEX && agree(target, axis, index) && isWhole(target);
    if (!device.wants(target, g) || !fits) return undefined;
    const size = around(target.shape, axis);
    const indexSize = around(index.shape, axis);
    return [
      device.launch(scatterAdd, size, [
        { value: device.valueOf(target.storage), size },
        seenAs(device, index, ...indexSize),
        { value: rowMajorValue(device, g), size: indexSize },
        length,
      ]),
    ];
  },
};
