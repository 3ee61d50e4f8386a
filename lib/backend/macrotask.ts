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
