/** The twin of lib/backend/wasm/load.browser.ts for a page: it fetches the one module of kernels that this browser needs. */

import type { KernelVariant } from '../../../lib/backend/wasm/protocol.ts';
import { hasRelaxedSimd } from '../../../lib/backend/wasm/relaxedSimd.ts';
import { UserError } from '../../../lib/errors.ts';
import { readBytes } from './store.ts';

export function loadKernels(variant: KernelVariant): WebAssembly.Module {
  const bytes = readBytes(`lib/backend/wasm/kernels.${variant === 'simd' ? 'simd' : 'relaxed'}.wasm`);
  if (!bytes)
    throw new UserError('the kernels could not be loaded: reload the page when there is a connection');
  return new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>);
}

export const narrowVariant = (): KernelVariant => (hasRelaxedSimd() ? 'relaxed' : 'simd');
