import type { Kernels, Strided } from '../kernels.ts';
import { FEW_ROWS, type StoredBlocks, wholeMatrixOfBlocks } from '../quantised/storedBlocks.ts';
import type { Storage } from '../storage.ts';
import { newFloats, rowMajor, sizeOf } from '../strided.ts';
import { dotOfBlocks, roundRow } from './blocks.ts';

/**
 * The definition: out[i, j] = start[j] + Σₚ a[i, p] b[p, j], for a [m, k] and b [k, n], anywhere in memory.
 * Everything faster, here and in the other backends, is tested against these three loops.
 */
export function matmulByDefinition(a: Strided, b: Strided, start?: Strided): Float32Array {
  const [m, k] = a.shape;
  const n = b.shape[1];
  const out = new Float32Array(m * n);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = start ? start.storage.data[start.offset + j * start.strides[0]] : 0;
      for (let p = 0; p < k; p++) {
        const x = a.storage.data[a.offset + i * a.strides[0] + p * a.strides[1]];
        const y = b.storage.data[b.offset + p * b.strides[0] + j * b.strides[1]];
        sum += x * y;
      }
      out[i * n + j] = sum;
    }
  }
  return out;
}

/**
 * out[from + i n + j] += a[i, :] · bT[j, :] for rows that lie next to each other in memory.
 *
 * The same sums, four rows by four columns at a time: each of the eight numbers read is used four times,
 * and the sixteen sums stay in registers. That alone is four times as fast as the definition.
 */
function addProductOfRows(
  a: Float32Array,
  bT: Float32Array,
  out: Float32Array,
  from: number,
  m: number,
  n: number,
  k: number,
): void {
  const mTiled = m - (m % 4);
  const nTiled = n - (n % 4);
  for (let i = 0; i < mTiled; i += 4) {
    for (let j = 0; j < nTiled; j += 4) addTile(a, i * k, bT, j * k, out, from + i * n + j, n, k);
  }
  for (let i = 0; i < m; i++) {
    for (let j = i < mTiled ? nTiled : 0; j < n; j++) {
      let sum = 0;
      for (let p = 0; p < k; p++) sum += a[i * k + p] * bT[j * k + p];
      out[from + i * n + j] += sum;
    }
  }
}

function addTile(
  a: Float32Array,
  a0: number,
  b: Float32Array,
  b0: number,
  out: Float32Array,
  o: number,
  n: number,
  k: number,
): void {
  const a1 = a0 + k;
  const a2 = a1 + k;
  const a3 = a2 + k;
  const b1 = b0 + k;
  const b2 = b1 + k;
  const b3 = b2 + k;
  let s00 = 0,
    s01 = 0,
    s02 = 0,
    s03 = 0;
  let s10 = 0,
    s11 = 0,
    s12 = 0,
    s13 = 0;
  let s20 = 0,
    s21 = 0,
    s22 = 0,
    s23 = 0;
  let s30 = 0,
    s31 = 0,
    s32 = 0,
    s33 = 0;
  for (let p = 0; p < k; p++) {
    const x0 = a[a0 + p],
      x1 = a[a1 + p],
      x2 = a[a2 + p],
      x3 = a[a3 + p];
    const y0 = b[b0 + p],
      y1 = b[b1 + p],
      y2 = b[b2 + p],
      y3 = b[b3 + p];
    s00 += x0 * y0;
    s01 += x0 * y1;
    s02 += x0 * y2;
    s03 += x0 * y3;
    s10 += x1 * y0;
    s11 += x1 * y1;
    s12 += x1 * y2;
    s13 += x1 * y3;
    s20 += x2 * y0;
    s21 += x2 * y1;
    s22 += x2 * y2;
    s23 += x2 * y3;
    s30 += x3 * y0;
    s31 += x3 * y1;
    s32 += x3 * y2;
    s33 += x3 * y3;
  }
  out[o] += s00;
  out[o + 1] += s01;
  out[o + 2] += s02;
  out[o + 3] += s03;
  o += n;
  out[o] += s10;
  out[o + 1] += s11;
  out[o + 2] += s12;
  out[o + 3] += s13;
  o += n;
  out[o] += s20;
  out[o + 1] += s21;
  out[o + 2] += s22;
  out[o + 3] += s23;
  o += n;
  out[o] += s30;
  out[o + 1] += s31;
  out[o + 2] += s32;
  out[o + 3] += s33;
}

/** The last two axes of a view at one position of the leading (batch) axes. */
function matrixAt(x: Strided, batch: number): Strided {
  const leading = x.shape.length - 2;
  let offset = x.offset;
  let rest = batch;
  for (let axis = leading - 1; axis >= 0; axis--) {
    offset += (rest % x.shape[axis]) * x.strides[axis];
    rest = Math.floor(rest / x.shape[axis]);
  }
  return { storage: x.storage, shape: x.shape.slice(leading), strides: x.strides.slice(leading), offset };
}

function transposed(x: Strided): Strided {
  return { ...x, shape: [x.shape[1], x.shape[0]], strides: [x.strides[1], x.strides[0]] };
}

/** A few rows a [m, k] times the rows of blocks [n, k], as whole numbers. */
function matmulOfBlocks(a: Strided, blocks: StoredBlocks, bias?: Strided): Storage {
  const [k, n] = [blocks.columns, blocks.rows];
  const rows = rowMajor(a);
  const { storage, data } = newFloats((rows.length / k) * n);
  for (let i = 0; i * k < rows.length; i++) {
    const x = roundRow(rows.subarray(i * k, (i + 1) * k));
    for (let j = 0; j < n; j++) {
      const start = bias ? bias.storage.data[bias.offset + j * bias.strides[0]] : 0;
      data[i * n + j] = start + dotOfBlocks(blocks, j, x);
    }
  }
  return storage;
}

function matmul(a: Strided, b: Strided, bias?: Strided): Storage {
  const stored = wholeMatrixOfBlocks(b);
  if (stored?.byColumns && sizeOf(a.shape.slice(0, -1)) <= FEW_ROWS)
    return matmulOfBlocks(a, stored.blocks, bias);
  const [m, k] = a.shape.slice(-2);
  const n = b.shape.at(-1)!;
  const batches = sizeOf(a.shape.slice(0, -2));
  const { storage, data } = newFloats(batches * m * n);
  if (bias) {
    const row = rowMajor(bias);
    for (let i = 0; i < batches * m; i++) data.set(row, i * n);
  }
  for (let batch = 0; batch < batches; batch++) {
    const left = rowMajor(matrixAt(a, batch));
    const right = rowMajor(transposed(matrixAt(b, batch)));
    addProductOfRows(left, right, data, batch * m * n, m, n, k);
  }
  return storage;
}

function matmulInto(target: Strided, a: Strided, b: Strided): true {
  const product = matmul(a, b).data;
  const out = target.storage.writable;
  const [m, n] = target.shape;
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      out[target.offset + i * target.strides[0] + j * target.strides[1]] += product[i * n + j];
    }
  }
  return true;
}

export const matmulKernels: Pick<Kernels, 'matmul' | 'matmulInto'> = { matmul, matmulInto };
