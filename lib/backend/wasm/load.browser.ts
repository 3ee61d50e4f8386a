import relaxedKernels from './kernels.relaxed.wasm';
import simdKernels from './kernels.simd.wasm';
import type { KernelVariant } from './protocol.ts';
import { hasRelaxedSimd } from './relaxedSimd.ts';

/** Compiles the kernels for this browser. The bundler puts both modules in as bytes. */
export const loadKernels = (variant: KernelVariant): WebAssembly.Module =>
  new WebAssembly.Module(variant === 'simd' ? simdKernels : relaxedKernels);

/** The best kernels that this browser has: those with fused multiply-adds, if it has them. */
export const narrowVariant = (): KernelVariant => (hasRelaxedSimd() ? 'relaxed' : 'simd');
