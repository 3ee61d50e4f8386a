/**
 * Levels and dictionary positions are written in runs: so many times the same number, or so many in a few bits each. A run says
 * itself how long it is, and the reader writes as many numbers as it says, however few the page has room for.
 */

/** How deep a column's values can be nested in lists, and in what can be missing; 0 and 0, or 0 and 1, for a plain column. */
export interface Levels {
  repetition: number;
  definition: number;
}

/** A page's content and what its header says of it. */
export interface ValuesPage {
  /** Unpacked, without the levels where the header says how long those are. */
  bytes: Uint8Array;
  count: number;
  encoding: number;
  isBoolean: boolean;
  /** Where they stand before the values, and not beside them: those of the older kind of page. */
  levels?: Levels;
}

/** Parquet's numbers for the encodings by runs: PLAIN_DICTIONARY, RLE, RLE_DICTIONARY. */
const IN_RUNS = [2, 3, 8];

/** @throws if a run has more numbers than the page has values */
export function checkRunsOfPage({ bytes, count, encoding, isBoolean, levels }: ValuesPage): void {
  let at = 0;
  const afterItsLength = (width: number) => {
    const length = new DataView(bytes.buffer, bytes.byteOffset + at, 4).getUint32(0, true);
    checkRuns(bytes.subarray(at + 4, at + 4 + length), width, count);
    at += 4 + length;
  };
  for (const level of [levels?.repetition ?? 0, levels?.definition ?? 0])
    if (level > 0) afterItsLength(bitsFor(level));
  if (!IN_RUNS.includes(encoding)) return;
  if (isBoolean) afterItsLength(1);
  else checkRuns(bytes.subarray(at + 1), bytes[at], count);
}

/** Runs of numbers of so many bits. @throws if one has more than `count` numbers */
export function checkRuns(bytes: Uint8Array, width: number, count: number): void {
  let at = 0;
  for (let seen = 0; seen < count && at < bytes.length; ) {
    let header = 0;
    for (let factor = 1; ; factor *= 128) {
      header += (bytes[at] & 0x7f) * factor;
      if (!(bytes[at++] >= 0x80)) break;
    }
    const isPacked = header % 2 === 1; // in groups of eight, the last of which need not be full
    const length = Math.floor(header / 2) * (isPacked ? 8 : 1);
    if (length > count + (isPacked ? MOST_PADDING : 0))
      throw new Error(`a run has ${length} numbers, and its page ${count} values`);
    at += isPacked ? (length / 8) * width : Math.ceil(width / 8);
    seen += length;
  }
}

/** Some writers fill up as many groups of eight as a header of one byte can count. */
const MOST_PADDING = 63 * 8;

/** The bits that a level takes: 1 for 1, 2 for 2 and 3. */
export function bitsFor(level: number): number {
  return 32 - Math.clz32(level);
}
