/** A model of one node for onnxruntime: C = op(A) · op(B), with B a constant, as a weight is. */

/** Protocol buffers: a number in 7-bit groups, the lowest first. */
function varint(value: number): number[] {
  const bytes: number[] = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) + 128);
  return [...bytes, value];
}

const number = (field: number, value: number) => Buffer.from([...varint(field << 3), ...varint(value)]);

function bytes(field: number, ...parts: (string | Uint8Array)[]): Buffer {
  const content = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
  return Buffer.concat([Buffer.from([...varint((field << 3) | 2), ...varint(content.length)]), content]);
}

/** AttributeProto of an integer. */
const attribute = (name: string, value: number) => bytes(5, bytes(1, name), number(3, value), number(20, 2));

/** ValueInfoProto of a float tensor. */
const value = (field: number, name: string, shape: readonly number[]) =>
  bytes(
    field,
    bytes(1, name),
    bytes(2, bytes(1, number(1, 1), bytes(2, ...shape.map((length) => bytes(1, number(1, length)))))),
  );

/** a and b are the shapes as they lie in memory, before they are transposed. */
export function gemmModel(
  a: readonly number[],
  b: readonly number[],
  transA: boolean,
  transB: boolean,
  weight: Float32Array,
): Uint8Array {
  const node = bytes(
    1,
    ...[bytes(1, 'A'), bytes(1, 'B'), bytes(2, 'C'), bytes(4, 'Gemm')],
    ...[attribute('transA', Number(transA)), attribute('transB', Number(transB))],
  );
  const raw = new Uint8Array(weight.buffer, weight.byteOffset, weight.byteLength);
  const initializer = bytes(
    5,
    ...b.map((length) => number(1, length)),
    number(2, 1),
    bytes(8, 'B'),
    bytes(9, raw),
  );
  const c = [transA ? a[1] : a[0], transB ? b[0] : b[1]];
  const graph = bytes(7, node, bytes(2, 'gemm'), initializer, value(11, 'A', a), value(12, 'C', c));
  return Buffer.concat([number(1, 8), graph, bytes(8, bytes(1, ''), number(2, 13))]);
}
