import type { Kernels, Strided } from '../kernels.ts';
import { wholeMatrixOfBlocks } from '../quantised/storedBlocks.ts';
import { Storage } from '../storage.ts';
import { forEachElement, newFloats, rowMajor, sizeOf } from '../strided.ts';

function embedding(weight: Strided, ids: Strided): Storage {
  const d = weight.shape[1];
  const rows = rowMajor<Int32Array>(ids);
  const { storage, data } = newFloats(rows.length * d);
  const stored = wholeMatrixOfBlocks(weight);
  if (stored) {
    rows.forEach((row, i) => {
      stored.blocks.readRow(row, data, i * d);
    });
    return storage;
  }
  const table = weight.storage.data;
  for (let i = 0; i < rows.length; i++) {
    const start = weight.offset + rows[i] * weight.strides[0];
    for (let j = 0; j < d; j++) data[i * d + j] = table[start + j * weight.strides[1]];
  }
  return storage;
}

function embeddingBackwardInto(target: Strided, ids: Strided, g: Strided): true {
  const d = target.shape[1];
  const rows = rowMajor<Int32Array>(ids);
  const upstream = rowMajor(g);
  const table = target.storage.writable;
  for (let i = 0; i < rows.length; i++) {
    const start = target.offset + rows[i] * target.strides[0];
    for (let j = 0; j < d; j++) table[start + j * target.strides[1]] += upstream[i * d + j];
  }
  return true;
}

/**
 * Calls `visit` with each element's position in the index and where, in `x`, that index points:
 * at the same place on every axis but `axis`, where the index itself says.
 */
function forEachIndexed(
  x: Strided,
  axis: number,
  index: Strided,
  visit: (positionInX: number, i: number) => void,
): void {
  const alongAxis = x.strides[axis];
  const others = x.strides.map((stride, a) => (a === axis ? 0 : stride));
  const base: Strided = { storage: x.storage, shape: index.shape, strides: others, offset: x.offset };
  const indices = index.storage.data;
  let i = 0;
  forEachElement([base, index], (at) => visit(at[0] + indices[at[1]] * alongAxis, i++));
}

function gather(x: Strided, axis: number, index: Strided): Storage {
  const input = x.storage.data;
  const out = Storage.empty(x.storage.dtype, sizeOf(index.shape));
  const y = out.data;
  forEachIndexed(x, axis, index, (position, i) => {
    y[i] = input[position];
  });
  return out;
}

function scatterAddInto(target: Strided, axis: number, index: Strided, g: Strided): true {
  const upstream = rowMajor(g);
  const out = target.storage.writable;
  forEachIndexed(target, axis, index, (position, i) => {
    out[position] += upstream[i];
  });
  return true;
}

function scatterInto(target: Strided, axis: number, index: Strided, source: Strided): true {
  const numbers = rowMajor(source);
  const out = target.storage.writable;
  forEachIndexed(target, axis, index, (position, i) => {
    out[position] = numbers[i];
  });
  return true;
}

export const indexingKernels: Pick<
  Kernels,
  'embedding' | 'embeddingBackwardInto' | 'gather' | 'scatterAddInto' | 'scatterInto'
> = { embedding, embeddingBackwardInto, gather, scatterAddInto, scatterInto };
