import { existsSync, readFileSync } from 'node:fs';
import v8 from 'node:v8';
import { UserError } from '../../errors.ts';
import type { KernelVariant } from './protocol.ts';
import { hasRelaxedSimd } from './relaxedSimd.ts';
import { compileJoined } from './vectors.node.ts';

/** Compiles the kernels for this runtime. */
export function loadKernels(variant: KernelVariant): WebAssembly.Module {
  allowRelaxedSimd();
  const file = new URL(`./kernels.${variant}.wasm`, import.meta.url);
  if (!existsSync(file)) throw new UserError('its kernels have not been built; run `npm run build` once');
  const bytes = readFileSync(file);
  return variant === 'wide' ? compileJoined(bytes) : new WebAssembly.Module(bytes);
}

/** The best kernels with vectors of 128 bits that this runtime has. */
export function narrowVariant(): KernelVariant {
  allowRelaxedSimd();
  return hasRelaxedSimd() ? 'relaxed' : 'simd';
}

/** Only Node 20 (V8 11.3) has relaxed SIMD behind a flag. Later versions have it without, and print an error for the flag. */
function allowRelaxedSimd(): void {
  if (process.versions.v8.startsWith('11.')) v8.setFlagsFromString('--experimental-wasm-relaxed-simd');
}
