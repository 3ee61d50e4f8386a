import { activeBackends } from './dispatch.ts';
import { macrotask } from './macrotask.ts';

/**
 * Await this between two training steps: it gives the runtime a moment, in which a page can draw or a key be
 * answered. In a browser it is also when the memory of tensors that nobody has any more comes back: no browser
 * collects garbage before the current job ends, so a loop that never awaits this grows with each step there. In Node
 * the engine collects by itself, and this costs some 20 microseconds.
 */
export async function yieldToRuntime(): Promise<void> {
  await macrotask();
  for (const backend of activeBackends()) await backend.betweenSteps?.();
}
