import relaxedKernels from './kernels.relaxed.wasm';
import simdKernels from './kernels.simd.wasm';
import { hasRelaxedSimd, type KernelVariant } from './relaxedSimd.ts';

/** Compiles the kernels for this browser: those with fused multiply-add if it has it. The bundler puts both in as bytes. */
export function loadKernels(variant?: KernelVariant): { module: WebAssembly.Module; relaxed: boolean } {
  const relaxed = variant ? variant === 'relaxed' : hasRelaxedSimd();
  return { module: new WebAssembly.Module(relaxed ? relaxedKernels : simdKernels), relaxed };
}
