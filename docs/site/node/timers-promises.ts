/** `node:timers/promises`, as far as the chapters use it. */

export { nextTurn as setImmediate } from './globals.ts';
