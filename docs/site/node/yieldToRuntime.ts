/** In place of lib/backend/yieldToRuntime.ts: where a program gives the event loop a turn, the page can pause it. */

import { yieldToRuntime as giveTurn } from '../../../lib/backend/yieldToRuntime.ts';

export { macrotask } from '../../../lib/backend/yieldToRuntime.ts';

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

export async function yieldToRuntime(): Promise<void> {
  await giveTurn();
  await rest;
}
