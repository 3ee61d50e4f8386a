/** The two 16-bit float formats weights are stored in, converted to and from float32. */

const scratch = new DataView(new ArrayBuffer(4));

/** bfloat16 is the upper half of a float32. Writes to `out`, from its beginning, where one is given. */
export function decodeBfloat16(
  source: Uint16Array,
  out: Float32Array = new Float32Array(source.length),
): Float32Array {
  const words = new Uint32Array(out.buffer, out.byteOffset, source.length);
  // A plain loop, here and below: `from` with a function takes twenty times as long.
  for (let i = 0; i < source.length; i++) words[i] = source[i] << 16;
  return out;
}

/** IEEE float16 (1 sign, 5 exponent, 10 fraction bits), likewise: every one of the 65,536 is looked up in a table. */
export function decodeFloat16(
  source: Uint16Array,
  out: Float32Array = new Float32Array(source.length),
): Float32Array {
  const values = float16Table();
  for (let i = 0; i < source.length; i++) out[i] = values[source[i]];
  return out;
}

let table: Float32Array | undefined;

function float16Table(): Float32Array {
  table ??= Float32Array.from({ length: 65536 }, (_, half) => {
    const sign = half & 0x8000 ? -1 : 1;
    const exponent = (half >>> 10) & 0x1f;
    const fraction = half & 0x3ff;
    if (exponent === 0) return sign * fraction * 2 ** -24; // subnormal
    if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
    return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  });
  return table;
}

/** Rounds a float32 to float16, ties to even; beyond 65,504 (half a step more) it becomes infinite. */
export function encodeFloat16(value: number): number {
  scratch.setFloat32(0, value);
  const bits = scratch.getUint32(0);
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00; // NaN
  if (magnitude >= 0x47800000) return sign | 0x7c00; // 2^16 and more
  const exponent = (magnitude >>> 23) - 127;
  if (exponent < -25) return sign;
  // The significand with its hidden bit, 24 bits, of which a float16 keeps 11, and fewer below 2^-14.
  const significand = (magnitude & 0x7fffff) | 0x800000;
  const dropped = exponent >= -14 ? 13 : -1 - exponent;
  const kept = significand >>> dropped;
  const rest = significand & ((1 << dropped) - 1);
  const half = 1 << (dropped - 1);
  const rounded = kept + (rest > half || (rest === half && kept & 1) ? 1 : 0);
  // A carry out of the fraction moves into the exponent, which is just what rounding up a power of 2 does.
  return sign | (exponent >= -14 ? rounded + ((exponent + 14) << 10) : rounded);
}
