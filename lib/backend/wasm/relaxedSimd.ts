/** (module (func (param v128) …)) with one `f32x4.relaxed_madd`: valid only where the runtime has relaxed SIMD. */
const RELAXED_SIMD = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 6, 1, 96, 1, 123, 1, 123, 3, 2, 1, 0, 10, 13, 1, 11, 0, 32, 0, 32, 0, 32, 0,
  253, 133, 2, 11,
]);

/** Does the runtime have fused multiply-adds? Safari has none yet. */
export const hasRelaxedSimd = (): boolean => WebAssembly.validate(RELAXED_SIMD);
