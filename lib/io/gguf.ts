/**
 * Reading GGUF, llama.cpp's file format: a header, named values ("metadata": sizes, the tokeniser, the chat template),
 * a list of tensors, then their numbers, most of them in blocks of few bits (lib/backend/quantised).
 * Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 */

import { BLOCK_FORMATS, type BlockFormat, formatName } from '../backend/quantised/formats.ts';
import { UserError } from '../errors.ts';
import { notFinite, requireFinite } from './finite.ts';
import { TextList } from './text-list.ts';

/** A value of the header: a number (uint64 and int64 as bigint), a flag, a text, or a list of these. */
export type GgufValue = number | bigint | boolean | string | TextList | GgufValue[];

/** A tensor as the file has it, read when it is asked for. */
export interface GgufTensor {
  /** How the numbers are stored, e.g. `Q4_1`; `undefined` for one that is not read here. */
  readonly format: BlockFormat | undefined;
  /** Row-major, as everywhere else here: GGUF itself lists the innermost axis first. */
  readonly shape: readonly number[];
  /** How many bytes it takes as it is stored. */
  readonly byteLength: number;
  /**
   * Reads the bytes as stored to the beginning of `target`.
   * @throws UserError for a format that is not read here, or a scale that is NaN or infinite
   */
  readInto(target: Uint8Array): void;
  /**
   * The numbers as float32, decoded at each access.
   * @throws UserError for a format that is not read here, or a number that is NaN or infinite
   */
  readonly data: Float32Array;
}

/** A GGUF file whose header has been read. */
export interface GgufFile {
  /** What error messages call it, usually its path. */
  readonly name: string;
  /** The header's values, by key, e.g. `llama.block_count`. */
  readonly metadata: ReadonlyMap<string, GgufValue>;
  /** The tensors, by name, e.g. `blk.0.attn_q.weight`. */
  readonly tensors: ReadonlyMap<string, GgufTensor>;
}

/** Reads the bytes begin … end − 1 of a file: to the beginning of `target`, or to an array of their own. */
type ReadRange = (begin: number, end: number, target?: Uint8Array) => Uint8Array;

const MAGIC = 0x46554747; // "GGUF", little-endian
const DEFAULT_ALIGNMENT = 32;
const MOST_AXES = 4;
/** The format's own limit, in bytes. */
const LONGEST_NAME = 64;

/**
 * Opens a GGUF file of `size` bytes: its header is read at once, a tensor's numbers when they are asked for.
 *
 * @param name what error messages call it, usually its path
 * @throws UserError if anything in it does not hold together
 */
export function readGguf(readRange: ReadRange, size: number, name: string): GgufFile {
  const cursor = new Cursor(readRange, size, name);
  if (size < 24 || cursor.u32() !== MAGIC)
    throw new UserError(`${name} is not a GGUF file: give another one`);
  const version = cursor.u32();
  if (version !== 2 && version !== 3) {
    throw new UserError(
      `${name} is GGUF of version ${version}: versions 2 and 3 in little-endian can be read`,
    );
  }
  const tensorCount = cursor.count('tensors', 24);
  const valueCount = cursor.count('values', 12);

  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < valueCount; i++) {
    const key = cursor.text();
    metadata.set(key, cursor.value(cursor.u32()));
  }

  const listed = Array.from({ length: tensorCount }, () => cursor.tensorInfo());
  const alignment = Number(metadata.get('general.alignment') ?? DEFAULT_ALIGNMENT);
  if (!(Number.isInteger(alignment) && alignment > 0)) throw cursor.fault(`its alignment is ${alignment}`);
  const dataStart = Math.ceil(cursor.at / alignment) * alignment;

  const tensors = new Map<string, GgufTensor>();
  for (const { tensorName, shape, type, offset } of listed) {
    if (tensors.has(tensorName)) throw cursor.fault(`the tensor '${tensorName}' is in it twice`);
    const format = BLOCK_FORMATS.get(type);
    const count = shape.reduce((product, length) => product * length, 1);
    const rowLength = shape.at(-1) ?? 1;
    if (format && rowLength % format.numbers !== 0) {
      throw cursor.fault(
        `'${tensorName}' has rows of ${rowLength} numbers, which are no whole blocks of ${format.numbers}`,
      );
    }
    const begin = dataStart + offset;
    const end = begin + (format ? (count / format.numbers) * format.bytes : 0);
    if (!Number.isSafeInteger(end) || end > size) {
      throw cursor.fault(`the tensor '${tensorName}' would end at byte ${end} of ${size}`);
    }
    const readable = (): BlockFormat => {
      if (format) return format;
      const known = [...BLOCK_FORMATS.values()].map((each) => each.name).join(', ');
      throw new UserError(
        `'${tensorName}' of ${name} is stored as ${formatName(type)}; what can be read is ${known}`,
      );
    };
    tensors.set(tensorName, {
      format,
      shape,
      byteLength: end - begin,
      readInto(target) {
        const { bytes, scales } = readable();
        readRange(begin, end, target);
        // In a block of whole numbers only the scales can be wrong, and no engine looks at them again.
        requireFiniteScales(target, bytes, scales ?? [], `'${tensorName}' of ${name}`);
      },
      get data() {
        const { numbers, bytes, decode } = readable();
        const stored = readRange(begin, end);
        const out = new Float32Array(count);
        const view = new DataView(stored.buffer, stored.byteOffset, stored.byteLength);
        for (let block = 0; block * numbers < count; block++)
          decode(view, block * bytes, out, block * numbers);
        requireFinite(out, `'${tensorName}' of ${name}`);
        return out;
      },
    });
  }
  return { name, metadata, tensors };
}

/** @throws UserError if a scale, a float16 at one of the given places of each block, is NaN or infinite */
function requireFiniteScales(
  stored: Uint8Array,
  blockBytes: number,
  scales: readonly number[],
  name: string,
): void {
  for (const scale of scales) {
    for (let at = scale + 1; at < stored.length; at += blockBytes)
      if ((stored[at] & 0x7c) === 0x7c) throw notFinite(name);
  }
}

/** Reads the header piece by piece. */
class Cursor {
  at = 0;
  readonly #readRange: ReadRange;
  readonly #size: number;
  readonly #name: string;
  #window: DataView = new DataView(new ArrayBuffer(0));
  #windowStart = 0;

  constructor(readRange: ReadRange, size: number, name: string) {
    this.#readRange = readRange;
    this.#size = size;
    this.#name = name;
  }

  fault(what: string): UserError {
    return new UserError(
      `${this.#name} is not a whole GGUF file: ${what}; it may be damaged or cut short, so get it again`,
    );
  }

  /** The next `bytes` bytes: where they begin in the window. */
  #take(bytes: number): number {
    if (this.at + bytes > this.#size)
      throw this.fault(`its header would go on after its end, byte ${this.#size}`);
    if (this.at + bytes > this.#windowStart + this.#window.byteLength) {
      const chunk = this.#readRange(this.at, Math.min(this.#size, this.at + Math.max(bytes, 2 ** 20)));
      this.#window = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      this.#windowStart = this.at;
    }
    const begin = this.at - this.#windowStart;
    this.at += bytes;
    return begin;
  }

  u32(): number {
    const begin = this.#take(4);
    return this.#window.getUint32(begin, true);
  }

  u64(): bigint {
    const begin = this.#take(8);
    return this.#window.getBigUint64(begin, true);
  }

  /** How many of something follow, each of at least `bytes` bytes: more than the file has room for is a fault. */
  count(what: string, bytes: number): number {
    const begin = this.#take(8);
    // No bigint: a vocabulary has a quarter of a million lengths.
    const count = this.#window.getUint32(begin, true) + 2 ** 32 * this.#window.getUint32(begin + 4, true);
    if (count * bytes > this.#size - this.at) throw this.fault(`it would have ${count} ${what}`);
    return count;
  }

  text(): string {
    const length = this.count('bytes of text', 1);
    const begin = this.#take(length);
    const { buffer, byteOffset } = this.#window;
    return DECODER.decode(new Uint8Array(buffer, byteOffset + begin, length));
  }

  /** A value of one of the format's thirteen types. */
  value(type: number): GgufValue {
    const scalar = SCALARS[type];
    if (scalar) {
      const begin = this.#take(scalar.bytes);
      return scalar.read(this.#window, begin);
    }
    if (type === 8) return this.text();
    if (type !== 9) throw this.fault(`a value has the unknown type ${type}`);
    const itemType = this.u32();
    if (itemType === 9) throw this.fault('a list of lists is in it');
    const count = this.count('items of a list', SCALARS[itemType]?.bytes ?? 8);
    if (itemType === 8) return this.#texts(count);
    const items: GgufValue[] = [];
    for (let i = 0; i < count; i++) items.push(this.value(itemType)); // V8 keeps doubles that are pushed as plain doubles
    return items;
  }

  /**
   * A list of texts. The decoder takes a microsecond for a short one; so their bytes are put side by side, decoded as one
   * text, and cut again.
   */
  #texts(count: number): TextList {
    let bytes = new Uint8Array(16 * count);
    /** Where each text ends, in bytes and in units of UTF-16. */
    const ends = new Uint32Array(count);
    const cuts = new Uint32Array(count);
    let [size, units, areWhole] = [0, 0, true];
    for (let i = 0; i < count; i++) {
      const length = this.count('bytes of text', 1);
      const begin = this.#take(length);
      if (size + length > bytes.length) {
        const larger = new Uint8Array(2 * (size + length));
        larger.set(bytes);
        bytes = larger;
      }
      for (let j = 0; j < length; j++) {
        const byte = this.#window.getUint8(begin + j);
        bytes[size + j] = byte;
        const goesOn = (byte & 0xc0) === 0x80; // a character of several bytes
        if (!goesOn) units += byte >= 0xf0 ? 2 : 1;
        else if (j === 0) areWhole = false;
      }
      size += length;
      ends[i] = size;
      cuts[i] = units;
    }
    const stored = bytes.subarray(0, size);
    const whole = areWhole ? strictlyDecoded(stored) : undefined;
    if (whole !== undefined) return new TextList(whole, cuts);
    const each = Array.from(ends, (end, i) => DECODER.decode(stored.subarray(ends[i - 1] ?? 0, end)));
    let [length, text] = [0, ''];
    each.forEach((part, i) => {
      text += part;
      cuts[i] = length += part.length;
    });
    return new TextList(text, cuts);
  }

  tensorInfo() {
    const tensorName = this.text();
    // Something that is no name could make a message of many lines.
    if (tensorName.length > LONGEST_NAME || /\p{Cc}/u.test(tensorName)) {
      throw this.fault(`the name of a tensor has ${tensorName.length} characters, or some that no name has`);
    }
    const axes = this.u32();
    if (axes > MOST_AXES) throw this.fault(`the tensor '${tensorName}' would have ${axes} axes`);
    const shape = Array.from({ length: axes }, () => Number(this.u64())).reverse();
    const type = this.u32();
    return { tensorName, shape, type, offset: Number(this.u64()) };
  }
}

const DECODER = new TextDecoder('utf-8', { ignoreBOM: true }); // a token may begin with one
const STRICT_DECODER = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true });

/** A text, or `undefined` if it is no UTF-8. */
function strictlyDecoded(bytes: Uint8Array): string | undefined {
  try {
    return STRICT_DECODER.decode(bytes);
  } catch {
    return undefined;
  }
}

/** The types of fixed size, by their number in the format. */
const SCALARS: Record<number, { bytes: number; read: (view: DataView, at: number) => GgufValue }> = {
  0: { bytes: 1, read: (view, at) => view.getUint8(at) },
  1: { bytes: 1, read: (view, at) => view.getInt8(at) },
  2: { bytes: 2, read: (view, at) => view.getUint16(at, true) },
  3: { bytes: 2, read: (view, at) => view.getInt16(at, true) },
  4: { bytes: 4, read: (view, at) => view.getUint32(at, true) },
  5: { bytes: 4, read: (view, at) => view.getInt32(at, true) },
  6: { bytes: 4, read: (view, at) => view.getFloat32(at, true) },
  7: { bytes: 1, read: (view, at) => view.getUint8(at) !== 0 },
  10: { bytes: 8, read: (view, at) => view.getBigUint64(at, true) },
  11: { bytes: 8, read: (view, at) => view.getBigInt64(at, true) },
  12: { bytes: 8, read: (view, at) => view.getFloat64(at, true) },
};
