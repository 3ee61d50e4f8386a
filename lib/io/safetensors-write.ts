/** Writing the safetensors format, byte for byte as its reference implementation (the Rust crate) does. */

import { encodeFloat16 } from '../backend/quantised/half.ts';
import { UserError } from '../errors.ts';
import { DTYPE_BYTES, LENGTH_BYTES } from './safetensors.ts';

export interface TensorToStore {
  shape: readonly number[];
  /** A Uint8Array is of bools, 0 or 1. */
  data: Float32Array | Int32Array | Uint8Array;
}

/** The format's order: the largest dtype first, so that every tensor begins aligned. */
const DTYPE_ORDER = ['F32', 'I32', 'F16', 'BOOL'];

/** What a safetensors file says beside its numbers, and how they are stored. */
export interface WriteOptions {
  /** Texts by name, kept in the file's header. */
  metadata?: Record<string, string>;
  /** How float32 data is stored; int32 is always stored as I32, bool as BOOL. */
  dtype?: 'F32' | 'F16';
}

/** The bytes of a file with these tensors, in memory. Errors as `safetensorsPieces`. */
export function writeSafetensors(
  tensors: Iterable<readonly [string, TensorToStore]>,
  options?: WriteOptions,
): Uint8Array {
  const pieces = [...safetensorsPieces(tensors, options)];
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let place = 0;
  for (const piece of pieces) {
    bytes.set(piece, place);
    place += piece.length;
  }
  return bytes;
}

/**
 * The same bytes one piece after the other: the header, then every tensor's numbers, so that no second copy of a large
 * model is made. The tensors are sorted by dtype, then by the bytes of their names; the header is padded with spaces to a
 * multiple of 8.
 *
 * @throws UserError if a tensor's data does not fit its shape, a name occurs twice, or a number is too
 * large for float16
 */
export function* safetensorsPieces(
  tensors: Iterable<readonly [string, TensorToStore]>,
  options: WriteOptions = {},
): Generator<Uint8Array> {
  const { metadata, dtype: floatType = 'F32' } = options;
  const sorted = Array.from(tensors, ([name, { shape, data }]) => {
    const needed = shape.reduce((product, length) => product * length, 1);
    if (needed !== data.length) {
      const given = `shape [${shape.join(', ')}] needs ${needed} numbers, not ${data.length}`;
      throw new UserError(`cannot store '${name}': ${given}`);
    }
    const whole = data instanceof Int32Array ? 'I32' : 'BOOL';
    return { name, shape, data, dtype: data instanceof Float32Array ? floatType : whole };
  }).sort(
    (a, b) => DTYPE_ORDER.indexOf(a.dtype) - DTYPE_ORDER.indexOf(b.dtype) || compareUtf8(a.name, b.name),
  );

  // Joined by hand: a JavaScript object would put names that look like numbers first.
  const fields = metadata ? [`"__metadata__":${JSON.stringify(metadata)}`] : [];
  const names = new Set(['__metadata__']);
  let end = 0;
  for (const { name, dtype, shape, data } of sorted) {
    if (names.has(name)) throw new UserError(`cannot store a tensor as '${name}': the name is taken`);
    names.add(name);
    const begin = end;
    end += data.length * DTYPE_BYTES[dtype];
    fields.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [begin, end] })}`);
  }
  const header = new TextEncoder().encode(`{${fields.join(',')}}`);
  const dataStart = LENGTH_BYTES + Math.ceil(header.length / 8) * 8;

  const start = new Uint8Array(dataStart).fill(0x20, LENGTH_BYTES);
  new DataView(start.buffer).setBigUint64(0, BigInt(dataStart - LENGTH_BYTES), true);
  start.set(header, LENGTH_BYTES);
  yield start;
  for (const { name, dtype, data } of sorted) {
    const { buffer, byteOffset, byteLength } = dtype === 'F16' ? toFloat16(data, name) : data;
    yield new Uint8Array(buffer, byteOffset, byteLength);
  }
}

function toFloat16(data: ArrayLike<number>, name: string): Uint16Array {
  return Uint16Array.from(data, (value) => {
    const half = encodeFloat16(value);
    if ((half & 0x7fff) === 0x7c00 && Number.isFinite(value)) {
      throw new UserError(
        `cannot store '${name}' as F16: ${value} is beyond its largest number, 65504; store F32`,
      );
    }
    return half;
  });
}

/** UTF-8 sorts as its code points do; JavaScript's own `<` compares UTF-16 units, which does not. */
function compareUtf8(a: string, b: string): number {
  const left = Array.from(a, (char) => char.codePointAt(0)!);
  const right = Array.from(b, (char) => char.codePointAt(0)!);
  const differs = left.findIndex((code, i) => code !== right[i]);
  return differs === -1 ? left.length - right.length : left[differs] - (right[differs] ?? -1);
}
