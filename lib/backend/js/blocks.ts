import { BLOCK, type StoredBlocks } from '../quantised/storedBlocks.ts';

/**
 * Products with numbers that are kept in blocks: what assembly/blockDots.ts does, readably. Where a row x of the other
 * operand meets few others, it is itself rounded to blocks of 32 whole numbers with one scale each, and whole numbers are
 * multiplied:
 *
 *      Σ (d q + m) · (e p)  =  d e Σ q p  +  m · e Σ p       over a block, q and p whole numbers, d, m, e its scales
 *
 * llama.cpp rounds to 8 bits (its Q8_1), which moves a logit of SmolLM2 by a few tenths. A vector instruction multiplies
 * 16 bits at the same pace where there is none for 4 and 8, so p has 16 bits here, and a logit moves by some thousandths.
 */

/** The largest whole number p. */
const LARGEST = 32767;

/** x [n] in blocks: whole numbers, and for each block its scale e and e Σ p. */
export interface RoundedRow {
  readonly whole: Int16Array;
  readonly scales: Float32Array;
  readonly sums: Float32Array;
}

export function roundRow(x: Float32Array): RoundedRow {
  const blocks = x.length / BLOCK;
  const rounded: RoundedRow = {
    whole: new Int16Array(x.length),
    scales: new Float32Array(blocks),
    sums: new Float32Array(blocks),
  };
  for (let block = 0; block < blocks; block++) {
    const part = x.subarray(block * BLOCK, (block + 1) * BLOCK);
    const largest = part.reduce((most, value) => Math.max(most, Math.abs(value)), 0); // NaN stays
    const scale = Math.fround(largest / LARGEST);
    const inverse = largest === 0 ? 0 : Math.fround(LARGEST / largest);
    let sum = 0;
    for (let i = 0; i < BLOCK; i++) {
      const p = toEven(Math.fround(part[i] * inverse));
      rounded.whole[block * BLOCK + i] = p;
      sum += p;
    }
    rounded.scales[block] = scale;
    rounded.sums[block] = scale * sum;
  }
  return rounded;
}

/** The nearest whole number, the even one of two. */
function toEven(x: number): number {
  const near = Math.round(x);
  return near - x === 0.5 && near % 2 !== 0 ? near - 1 : near;
}

/** The product of a rounded row with one row of blocks. */
export function dotOfBlocks(blocks: StoredBlocks, row: number, x: RoundedRow): number {
  const { format, rowBytes } = blocks;
  const { buffer, byteOffset } = blocks.bytes.data;
  const view = new DataView(buffer, byteOffset + row * rowBytes, rowBytes);
  const numbers = new Float32Array(format.numbers);
  let sum = 0;
  for (let begin = 0; begin < x.whole.length; begin += format.numbers) {
    // d q + m, decoded: its product with p is what the whole numbers give, but for the rounding of float32.
    format.decode(view, (begin / format.numbers) * format.bytes, numbers, 0);
    for (let from = 0; from < format.numbers; from += BLOCK) {
      let part = 0;
      for (let i = from; i < from + BLOCK; i++) part += numbers[i] * x.whole[begin + i];
      sum += part * x.scales[(begin + from) / BLOCK];
    }
  }
  return sum;
}
