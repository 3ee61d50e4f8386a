import { activeBackends } from './dispatch.ts';

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

/**
 * Returns to the event loop once: what is waiting there (a message, a key, a timer) gets its turn. A message to
 * oneself, since browsers make timers wait for 4 ms.
 */
export function macrotask(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
