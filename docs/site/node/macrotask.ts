/** In place of lib/backend/macrotask.ts: where a program gives the event loop a turn, the page can pause it. */

let rest: Promise<void> | undefined;
let goOn = (): void => {};

/** Programs pause at their next turn, until `resume`. */
export function pause(): void {
  rest ??= new Promise((resolve) => {
    goOn = resolve;
  });
}

export function resume(): void {
  goOn();
  rest = undefined;
}

export async function macrotask(): Promise<void> {
  await new Promise<void>((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
  await rest;
}
