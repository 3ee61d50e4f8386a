/**
 * Reading the safetensors format: 8 bytes of header length, a JSON header that says for each tensor its
 * dtype, shape and place, then the numbers. Here from bytes in memory; safetensors-file.ts reads files.
 */

import { decodeBfloat16, decodeFloat16 } from '../backend/quantised/half.ts';
import { UserError } from '../errors.ts';

/** Bytes per number of the dtypes the format knows. */
export const DTYPE_BYTES: Record<string, number> = {
  ...{ BOOL: 1, U8: 1, I8: 1, F8_E5M2: 1, F8_E4M3: 1 },
  ...{ I16: 2, U16: 2, F16: 2, BF16: 2, I32: 4, U32: 4, F32: 4, F64: 8, I64: 8, U64: 8 },
};

/** What comes before the header: its length. */
export const LENGTH_BYTES = 8;
const MAX_HEADER_BYTES = 100_000_000; // the format's own limit

export interface StoredTensor {
  /** As stored, e.g. `F16`. */
  readonly dtype: string;
  readonly shape: number[];
  /** Bytes that it takes in the file. */
  readonly bytes: number;
  /**
   * The numbers: float dtypes as float32, whole ones and BOOL as int32. Read and converted at each access,
   * so a file of many tensors is not held twice; keep the result if you need it again. F32 in memory is a
   * view of the bytes given, not a copy.
   *
   * @throws UserError on a dtype we do not read, or an integer beyond int32
   */
  readonly data: Float32Array | Int32Array;
  /** Writes the same numbers to the beginning of an array that is there, without a copy of them on the way. */
  readInto(target: Float32Array | Int32Array): void;
}

/** Reads the bytes begin … end − 1: to the beginning of `target`, or to an array of their own, or shows where they are. */
type ReadRange = (begin: number, end: number, target?: Uint8Array) => Uint8Array;

/** The tensors by name, in the order of their data, and the free texts of `__metadata__`. */
export class SafetensorsFile extends Map<string, StoredTensor> {
  readonly metadata: Record<string, string>;
  /** Ends reading: `data` of what is in a file on disk cannot be asked for any more. */
  readonly close: () => void;
  constructor(metadata: Record<string, string>, close: () => void = () => undefined) {
    super();
    this.metadata = metadata;
    this.close = close;
  }
}

/**
 * Reads a whole safetensors file given as bytes.
 *
 * @param name what error messages call it, usually its path
 * @throws UserError if anything in it does not hold together
 */
export function readSafetensors(bytes: Uint8Array, name = 'safetensors data'): SafetensorsFile {
  return readSafetensorsFrom((begin, end) => bytes.subarray(begin, end), bytes.length, name);
}

/** The same over any source of byte ranges of a file of `size` bytes; a range is read when it is needed. */
export function readSafetensorsFrom(
  readRange: ReadRange,
  size: number,
  name: string,
  close?: () => void,
): SafetensorsFile {
  const fault = (what: string) =>
    new UserError(
      `${name} is not a whole safetensors file: ${what}; it may be damaged or cut short, so get it again`,
    );

  if (size < LENGTH_BYTES) throw fault(`it has ${size} bytes, fewer than the 8 of the header's length`);
  const lengthBytes = readRange(0, LENGTH_BYTES);
  const headerLength = new DataView(lengthBytes.buffer, lengthBytes.byteOffset, LENGTH_BYTES).getBigUint64(
    0,
    true,
  );
  const other = otherFormat(readRange(0, Math.min(size, 64)));
  if (other) throw new UserError(`${name} is ${other}`);
  if (headerLength > MAX_HEADER_BYTES) throw fault(`its header would have ${headerLength} bytes`);
  const dataStart = LENGTH_BYTES + Number(headerLength);
  if (dataStart > size) throw fault(`its header would end at byte ${dataStart} of ${size}`);

  const header = parseHeader(readRange(LENGTH_BYTES, dataStart), fault);
  const entries = Object.entries(header).filter(([key]) => key !== '__metadata__');
  const file = new SafetensorsFile(checkMetadata(header.__metadata__, fault), close);
  const checked = entries.map(([key, entry]) => checkEntry(key, entry, fault));
  checked.sort((a, b) => a.begin - b.begin || a.end - b.end);

  let end = 0;
  for (const tensor of checked) {
    if (tensor.begin !== end) {
      throw fault(
        `tensor '${tensor.name}' begins at byte ${tensor.begin} of the data, where ${end} was expected`,
      );
    }
    end = tensor.end;
  }
  if (dataStart + end !== size) throw fault(`its tensors need ${dataStart + end} bytes, but it has ${size}`);

  for (const { name: key, dtype, shape, begin, end } of checked) {
    const bytes = end - begin;
    const read: ReadRange = (from, to, target) =>
      readRange(dataStart + begin + from, dataStart + begin + to, target);
    const called = `tensor '${key}' of ${name}`;
    file.set(key, {
      dtype,
      shape,
      bytes,
      get data() {
        if (isTakenOver(dtype)) return view(dtype, read(0, bytes), bytes);
        const count = bytes / DTYPE_BYTES[dtype];
        const out = isWhole(dtype) ? new Int32Array(count) : new Float32Array(count);
        decodeInto(out, dtype, bytes, read, called);
        return out;
      },
      readInto: (target) => decodeInto(target, dtype, bytes, read, called),
    });
  }
  return file;
}

/** What a file of another format is and what to do about it, by its first bytes. */
function otherFormat(start: Uint8Array): string | null {
  const text = String.fromCharCode(...start);
  const pickle = start[0] === 0x80 && start[1] >= 2 && start[1] <= 5 && start[2] !== 0; // protocol 2 to 5
  if (text.startsWith('PK\x03\x04') || pickle) {
    return "PyTorch's pickle, not safetensors: load it in Python and save it with safetensors.torch.save_file";
  }
  if (text.startsWith('GGUF')) return 'a GGUF file, not safetensors: give the safetensors file of the model';
  if (text.startsWith('version https://git-lfs'))
    return 'a Git LFS pointer, not the file itself: run git lfs pull';
  return null;
}

type Fault = (what: string) => UserError;

function parseHeader(bytes: Uint8Array, fault: Fault): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw fault('its header is not JSON');
  }
  if (!isObject(header)) throw fault('its header is not a JSON object');
  return header;
}

function checkMetadata(metadata: unknown, fault: Fault): Record<string, string> {
  if (metadata === undefined) return {};
  if (!isObject(metadata) || Object.values(metadata).some((value) => typeof value !== 'string')) {
    throw fault('its __metadata__ is not an object of texts');
  }
  return metadata as Record<string, string>;
}

function checkEntry(name: string, entry: unknown, fault: Fault) {
  if (!isObject(entry)) throw fault(`tensor '${name}' is not described by an object`);
  const { dtype, shape, data_offsets: offsets } = entry;
  if (typeof dtype !== 'string') throw fault(`tensor '${name}' has no dtype`);
  const bytesEach = DTYPE_BYTES[dtype];
  if (bytesEach === undefined) throw fault(`tensor '${name}' has the unknown dtype ${dtype}`);
  if (!isSizes(shape)) throw fault(`tensor '${name}' has no proper shape`);
  if (!isSizes(offsets) || offsets.length !== 2) throw fault(`tensor '${name}' has no proper data_offsets`);
  const [begin, end] = offsets;
  const needed = shape.reduce((product, length) => product * length, 1) * bytesEach;
  if (end - begin !== needed) {
    throw fault(
      `tensor '${name}', ${dtype} [${shape.join(', ')}], needs ${needed} bytes but has ${end - begin}`,
    );
  }
  return { name, dtype, shape, begin, end };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((length) => Number.isSafeInteger(length) && length >= 0);
}

/** Are its numbers in the file as they are in memory? */
function isTakenOver(dtype: string): boolean {
  return dtype === 'F32' || dtype === 'I32';
}

function view(dtype: string, bytes: Uint8Array, size: number): Float32Array | Int32Array {
  const { buffer, byteOffset } = aligned(bytes, 4);
  return dtype === 'F32'
    ? new Float32Array(buffer, byteOffset, size / 4)
    : new Int32Array(buffer, byteOffset, size / 4);
}

/** Bytes read at once of a tensor that is converted: its raw numbers are never all in memory beside the result. */
const PIECE_BYTES = 1 << 20;

function decodeInto(
  out: Float32Array | Int32Array,
  dtype: string,
  size: number,
  read: ReadRange,
  name: string,
): void {
  if (isTakenOver(dtype)) {
    const place = new Uint8Array(out.buffer, out.byteOffset, size);
    const bytes = read(0, size, place);
    if (bytes.buffer !== place.buffer) place.set(bytes);
    return;
  }
  const half = HALVES[dtype];
  const convert = CONVERTERS[dtype];
  if (!half && !convert) {
    throw new UserError(
      `${name} is ${dtype}; only F32, F16, BF16, F64, ${WHOLE.join(', ')} and BOOL can be read`,
    );
  }
  const each = DTYPE_BYTES[dtype];
  const piece = new Uint8Array(Math.min(size, PIECE_BYTES));
  for (let begin = 0; begin < size; begin += PIECE_BYTES) {
    const end = Math.min(size, begin + PIECE_BYTES);
    const { buffer, byteOffset } = aligned(read(begin, end, piece), each);
    const count = (end - begin) / each;
    const place = out.subarray(begin / each, end / each);
    if (half) half(new Uint16Array(buffer, byteOffset, count), place as Float32Array);
    else place.set(convert(buffer, byteOffset, count, name));
  }
}

/** A typed array must begin at a multiple of its element size; the format pads the header for that. */
function aligned(bytes: Uint8Array, each: number): Uint8Array {
  return bytes.byteOffset % each === 0 ? bytes : bytes.slice();
}

function isWhole(dtype: string): boolean {
  return WHOLE.includes(dtype) || dtype === 'BOOL';
}

const WHOLE = ['I64', 'U64', 'I32', 'U32', 'I16', 'U16', 'I8', 'U8'];

type Converter = (buffer: ArrayBufferLike, offset: number, count: number, name: string) => ArrayLike<number>;

/** What large models come in: decoded straight into place. */
const HALVES: Record<string, typeof decodeFloat16> = { F16: decodeFloat16, BF16: decodeBfloat16 };

/** From the bytes of each other dtype that is not simply taken over. */
const CONVERTERS: Record<string, Converter> = {
  F64: (buffer, offset, count) => new Float64Array(buffer, offset, count),
  I64: (buffer, offset, count, name) => toInt32(new BigInt64Array(buffer, offset, count), name),
  U64: (buffer, offset, count, name) => toInt32(new BigUint64Array(buffer, offset, count), name),
  U32: (buffer, offset, count, name) => toInt32(new Uint32Array(buffer, offset, count), name),
  I16: (buffer, offset, count) => new Int16Array(buffer, offset, count),
  U16: (buffer, offset, count) => new Uint16Array(buffer, offset, count),
  I8: (buffer, offset, count) => new Int8Array(buffer, offset, count),
  U8: (buffer, offset, count) => new Uint8Array(buffer, offset, count),
  BOOL: (buffer, offset, count) => new Uint8Array(buffer, offset, count),
};

function toInt32(values: BigInt64Array | BigUint64Array | Uint32Array, name: string): Int32Array {
  const out = new Int32Array(values.length);
  for (let i = 0; i < out.length; i++) {
    out[i] = Number(values[i]);
    if (out[i] !== Number(values[i])) {
      throw new UserError(`${name} holds ${values[i]}, which does not fit the int32 it is read into`);
    }
  }
  return out;
}
