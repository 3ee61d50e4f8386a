import { existsSync, readFileSync } from 'node:fs';
import v8 from 'node:v8';
import { UserError } from '../../errors.ts';
import { hasRelaxedSimd, type KernelVariant } from './relaxedSimd.ts';

/** Compiles the kernels for this runtime: those with fused multiply-add if it has it, unless told which. */
export function loadKernels(variant?: KernelVariant): { module: WebAssembly.Module; relaxed: boolean } {
  // Only Node 20 (V8 11.3) has relaxed SIMD behind a flag. Later versions have it without, and print an error for the flag.
  if (process.versions.v8.startsWith('11.')) v8.setFlagsFromString('--experimental-wasm-relaxed-simd');
  const relaxed = variant ? variant === 'relaxed' : hasRelaxedSimd();
  const file = new URL(relaxed ? './kernels.relaxed.wasm' : './kernels.simd.wasm', import.meta.url);
  if (!existsSync(file)) throw new UserError('its kernels have not been built; run `npm run build` once');
  return { module: new WebAssembly.Module(readFileSync(file)), relaxed };
}
