/** The twin of lock.node.ts for browsers, where a program's files are its own: nobody else can hold a lock. */

import type * as node from './lock.node.ts';

export type { Holder, Release } from './lock.node.ts';

export const tryLock: typeof node.tryLock = () => () => {};
export const isRunning: typeof node.isRunning = () => false;
