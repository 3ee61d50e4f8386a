import { activeBackends } from './dispatch.ts';
import type { MemoryUse } from './kernels.ts';

/** How much memory the CPU engine uses; zeros where another engine is active, whose tensors are ordinary arrays. */
export function memoryUse(): MemoryUse {
  const engine = activeBackends().find((backend) => backend.memoryUse);
  return engine?.memoryUse?.() ?? { inUse: 0, reserved: 0 };
}
