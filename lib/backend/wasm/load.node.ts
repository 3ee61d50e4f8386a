import { readFileSync } from 'node:fs';
import v8 from 'node:v8';

/** (module (func (param v128) …)) with one `f32x4.relaxed_madd`: valid only where the runtime has relaxed SIMD. */
const RELAXED_SIMD = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 6, 1, 96, 1, 123, 1, 123, 3, 2, 1, 0, 10, 13, 1, 11, 0, 32, 0, 32, 0, 32, 0,
  253, 133, 2, 11,
]);

/** Compiles the kernels for this runtime: those with fused multiply-add if it has it. */
export function loadKernels(): { module: WebAssembly.Module; relaxed: boolean } {
  // Only Node 20 (V8 11.3) has relaxed SIMD behind a flag. Later versions have it without, and print an error for the flag.
  if (process.versions.v8.startsWith('11.')) v8.setFlagsFromString('--experimental-wasm-relaxed-simd');
  const relaxed = WebAssembly.validate(RELAXED_SIMD);
  const file = new URL(relaxed ? './kernels.relaxed.wasm' : './kernels.simd.wasm', import.meta.url);
  return { module: new WebAssembly.Module(readFileSync(file)), relaxed };
}
