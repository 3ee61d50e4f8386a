/** `node:timers/promises`, as far as the chapters use it. */

export { yieldToRuntime as setImmediate } from '../../../lib/index.ts';

export const setTimeout = (ms: number) => new Promise((resolve) => globalThis.setTimeout(resolve, ms));
