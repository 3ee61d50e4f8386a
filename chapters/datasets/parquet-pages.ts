import type { ColumnMetaData } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { bitsFor, checkRuns, checkRunsOfPage, type Levels } from './parquet-runs.ts';

/**
 * The pages of a parquet column say themselves how many values they hold, in headers of Thrift's compact protocol. The reader
 * makes room for that many before it looks for them, so a damaged number could take any amount of memory.
 */

/**
 * @param levels of a column that will be read: only then are its pages unpacked, and the runs in them looked at
 * @throws if a page does not hold together, or has more values than its column, a dictionary more than `most`, or a run more than
 * its page
 */
export function checkPages(file: ArrayBuffer, column: ColumnMetaData, most: number, levels?: Levels): void {
  const start = Number(column.dictionary_page_offset || column.data_page_offset);
  const end = start + Number(column.total_compressed_size);
  if (!(start >= 0 && end <= file.byteLength)) throw new Error('a column lies beyond the end of the file');
  const view = new DataView(file, 0, end);
  for (let at = start; at < end; ) {
    const reader: Reader = { view, at };
    const header = readStruct(reader);
    const size = header.get(HEADER.size);
    if (typeof size !== 'number' || size < 0) throw new Error('a page has no size');
    for (const [field, limit] of [
      [HEADER.values, Number(column.num_values)],
      [HEADER.valuesV2, Number(column.num_values)],
      [HEADER.dictionary, most],
    ]) {
      const own = header.get(field);
      const count = own instanceof Map ? own.get(1) : 0;
      if (typeof count !== 'number' || count < 0 || count > limit)
        throw new Error(`a page has ${String(count)} values, and its column ${column.num_values}`);
    }
    const content = new Uint8Array(file, reader.at, Math.min(size, file.byteLength - reader.at));
    if (levels) checkRunsIn(header, content, column, levels);
    at = reader.at + size;
  }
}

/** The fields of a page's header. There are two kinds of pages of values; the dictionary is written plainly. */
const HEADER = { unpackedSize: 2, size: 3, values: 5, dictionary: 7, valuesV2: 8 };

function checkRunsIn(header: Struct, content: Uint8Array, column: ColumnMetaData, levels: Levels): void {
  const isBoolean = column.type === 'BOOLEAN';
  const size = Number(header.get(HEADER.unpackedSize));
  const [values, valuesV2] = [header.get(HEADER.values), header.get(HEADER.valuesV2)];
  if (values instanceof Map) {
    const bytes = unpack(content, size, column.codec);
    checkRunsOfPage({ bytes, count: values.get(1), encoding: values.get(2), isBoolean, levels });
  } else if (valuesV2 instanceof Map) {
    const [count, encoding, definition, repetition] = [1, 4, 5, 6].map((field) =>
      Number(valuesV2.get(field)),
    );
    const before = repetition + definition;
    checkRuns(content.subarray(0, repetition), bitsFor(levels.repetition), count);
    checkRuns(content.subarray(repetition, before), bitsFor(levels.definition), count);
    const rest = content.subarray(before);
    const bytes = valuesV2.get(7) === false ? rest : unpack(rest, size - before, column.codec);
    checkRunsOfPage({ bytes, count, encoding, isBoolean });
  }
}

function unpack(content: Uint8Array, size: number, codec: ColumnMetaData['codec']): Uint8Array {
  if (codec === 'UNCOMPRESSED') return content;
  const decompress = compressors[codec];
  if (!decompress) throw new Error(`its compression ${codec} is not supported`);
  return decompress(content, size);
}

interface Reader {
  view: DataView;
  at: number;
}

type Struct = Map<number, unknown>;

/** The fields of a struct by their number; only whole numbers and structs keep their values. */
function readStruct(reader: Reader): Struct {
  const fields: Struct = new Map();
  for (let field = 0; ; ) {
    const byte = reader.view.getUint8(reader.at++);
    const type = byte & 0x0f;
    if (type === 0) return fields;
    field = byte >> 4 ? field + (byte >> 4) : signed(readVarint(reader));
    fields.set(field, readValue(reader, type));
  }
}

/** A value of a type of the compact protocol: 1 and 2 are booleans, 3 to 6 whole numbers, 12 a struct. */
function readValue(reader: Reader, type: number): unknown {
  if (type === 1 || type === 2) return type === 1;
  if (type === 3) return reader.view.getInt8(reader.at++);
  if (type <= 6) return signed(readVarint(reader));
  if (type === 7) return skip(reader, 8);
  if (type === 8) return skip(reader, readVarint(reader));
  if (type === 12) return readStruct(reader);
  if (type !== 9 && type !== 10) throw new Error(`a page header has a value of type ${type}`);
  const byte = reader.view.getUint8(reader.at++);
  const count = byte >> 4 === 15 ? readVarint(reader) : byte >> 4;
  const each = byte & 0x0f;
  for (let i = 0; i < count; i++) {
    if (each === 1 || each === 2) skip(reader, 1);
    else readValue(reader, each);
  }
  return undefined;
}

function skip(reader: Reader, bytes: number): undefined {
  reader.at += bytes;
  if (reader.at > reader.view.byteLength) throw new Error('a page header is cut short');
}

/** Seven bits in each byte, the lowest first. */
function readVarint(reader: Reader): number {
  let value = 0;
  for (let factor = 1; ; factor *= 128) {
    const byte = reader.view.getUint8(reader.at++);
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) return value;
    if (factor > 2 ** 56) throw new Error('a page header has too large a number');
  }
}

/** 0, 1, 2, 3, … stand for 0, −1, 1, −2, … */
function signed(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}
