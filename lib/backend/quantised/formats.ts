/**
 * How GGUF stores numbers: singly, or in blocks of 32 or 256 that share a scale, with 4 to 8 bits for each number.
 * After the reference in llama.cpp (ggml-quants.c, dequantize_row_*). Everything is little-endian.
 */

import { decodeFloat16 } from './half.ts';

export interface BlockFormat {
  readonly name: string;
  /** Numbers in a block. */
  readonly numbers: number;
  /** Bytes of a block. */
  readonly bytes: number;
  /** Where in a block of whole numbers its scales are, each a float16; single numbers have none. */
  readonly scales?: readonly number[];
  /** Writes the numbers of the block at byte `at` to out[to …]. */
  readonly decode: (view: DataView, at: number, out: Float32Array, to: number) => void;
}

const half = new Uint16Array(1);
function float16(view: DataView, at: number): number {
  half[0] = view.getUint16(at, true);
  return decodeFloat16(half)[0];
}

const bits = new DataView(new ArrayBuffer(4));
function bfloat16(view: DataView, at: number): number {
  bits.setUint16(0, view.getUint16(at, true));
  return bits.getFloat32(0);
}

/** 32 numbers as the halves of 16 bytes: number j is the low half of byte j, number j + 16 its high half. */
function nibbles(view: DataView, at: number, each: (j: number, q: number) => void): void {
  for (let j = 0; j < 16; j++) {
    const byte = view.getUint8(at + j);
    each(j, byte & 15);
    each(j + 16, byte >> 4);
  }
}

/**
 * The scale and the minimum of group `j` of a Q4_K block: twice eight numbers of 6 bits in 12 bytes. The first four of each
 * lie in the low bits of a byte of their own; the others have their upper 2 bits in the top of those.
 */
function sixBitPair(view: DataView, at: number, j: number): [scale: number, minimum: number] {
  const byte = (i: number) => view.getUint8(at + i);
  if (j < 4) return [byte(j) & 63, byte(j + 4) & 63];
  return [(byte(j + 4) & 15) | ((byte(j - 4) >> 6) << 4), (byte(j + 4) >> 4) | ((byte(j) >> 6) << 4)];
}

/** By the number that a file has for each. */
export const BLOCK_FORMATS: ReadonlyMap<number, BlockFormat> = new Map<number, BlockFormat>([
  [
    0,
    {
      name: 'F32',
      numbers: 1,
      bytes: 4,
      decode: (view, at, out, to) => void (out[to] = view.getFloat32(at, true)),
    },
  ],
  [
    1,
    { name: 'F16', numbers: 1, bytes: 2, decode: (view, at, out, to) => void (out[to] = float16(view, at)) },
  ],
  [
    30,
    {
      name: 'BF16',
      numbers: 1,
      bytes: 2,
      decode: (view, at, out, to) => void (out[to] = bfloat16(view, at)),
    },
  ],
  [
    2,
    {
      // d · (q − 8), q of 4 bits
      ...{ name: 'Q4_0', numbers: 32, bytes: 18, scales: [0] },
      decode(view, at, out, to) {
        const d = float16(view, at);
        nibbles(view, at + 2, (j, q) => {
          out[to + j] = d * (q - 8);
        });
      },
    },
  ],
  [
    3,
    {
      // d · q + m, q of 4 bits
      ...{ name: 'Q4_1', numbers: 32, bytes: 20, scales: [0, 2] },
      decode(view, at, out, to) {
        const d = float16(view, at);
        const m = float16(view, at + 2);
        nibbles(view, at + 4, (j, q) => {
          out[to + j] = d * q + m;
        });
      },
    },
  ],
  [
    6,
    {
      // d · (q − 16), q of 5 bits: the fifth bits of all 32 stand in front
      ...{ name: 'Q5_0', numbers: 32, bytes: 22, scales: [0] },
      decode(view, at, out, to) {
        const d = float16(view, at);
        const fifth = view.getUint32(at + 2, true);
        nibbles(view, at + 6, (j, q) => {
          out[to + j] = d * ((q | (((fifth >>> j) & 1) << 4)) - 16);
        });
      },
    },
  ],
  [
    7,
    {
      // d · q + m, q of 5 bits
      ...{ name: 'Q5_1', numbers: 32, bytes: 24, scales: [0, 2] },
      decode(view, at, out, to) {
        const d = float16(view, at);
        const m = float16(view, at + 2);
        const fifth = view.getUint32(at + 4, true);
        nibbles(view, at + 8, (j, q) => {
          out[to + j] = d * (q | (((fifth >>> j) & 1) << 4)) + m;
        });
      },
    },
  ],
  [
    8,
    {
      // d · q, q of 8 bits with a sign
      ...{ name: 'Q8_0', numbers: 32, bytes: 34, scales: [0] },
      decode(view, at, out, to) {
        const d = float16(view, at);
        for (let j = 0; j < 32; j++) out[to + j] = d * view.getInt8(at + 2 + j);
      },
    },
  ],
  [
    12,
    {
      // d · scale · q − dmin · minimum, q of 4 bits, a scale and a minimum of 6 bits for each 32
      ...{ name: 'Q4_K', numbers: 256, bytes: 144, scales: [0, 2] },
      decode(view, at, out, to) {
        const d = float16(view, at);
        const dMin = float16(view, at + 2);
        for (let group = 0; group < 8; group++) {
          const [scale, minimum] = sixBitPair(view, at + 4, group);
          const bytes = at + 16 + 32 * (group >> 1); // two groups share 32 bytes: the low halves and the high ones
          const shift = 4 * (group & 1);
          for (let j = 0; j < 32; j++) {
            const q = (view.getUint8(bytes + j) >> shift) & 15;
            out[to + 32 * group + j] = d * scale * q - dMin * minimum;
          }
        }
      },
    },
  ],
  [
    14,
    {
      // d · scale · (q − 32), q of 6 bits (4 in `low`, 2 in `high`), an 8-bit scale for each 16
      ...{ name: 'Q6_K', numbers: 256, bytes: 210, scales: [208] },
      decode(view, at, out, to) {
        const d = float16(view, at + 208);
        for (let i = 0; i < 256; i++) {
          const [part, quarter, l] = [i >> 7, (i >> 5) & 3, i & 31];
          const low = view.getUint8(at + 64 * part + 32 * (quarter & 1) + l) >> (4 * (quarter >> 1));
          const high = view.getUint8(at + 128 + 32 * part + l) >> (2 * quarter);
          const q = (low & 15) | ((high & 3) << 4);
          out[to + i] = d * view.getInt8(at + 192 + (i >> 4)) * (q - 32);
        }
      },
    },
  ],
]);

/** Formats that files have and that are not read here, for the message that says so. */
const OTHER_NAMES: Record<number, string> = {
  ...{
    9: 'Q8_1',
    10: 'Q2_K',
    11: 'Q3_K',
    13: 'Q5_K',
    15: 'Q8_K',
    16: 'IQ2_XXS',
    17: 'IQ2_XS',
    18: 'IQ3_XXS',
  },
  ...{ 19: 'IQ1_S', 20: 'IQ4_NL', 21: 'IQ3_S', 22: 'IQ2_S', 23: 'IQ4_XS', 24: 'I8', 25: 'I16', 26: 'I32' },
  ...{ 27: 'I64', 28: 'F64', 29: 'IQ1_M', 34: 'TQ1_0', 35: 'TQ2_0' },
};

export function formatName(type: number): string {
  return BLOCK_FORMATS.get(type)?.name ?? OTHER_NAMES[type] ?? `type ${type}`;
}
