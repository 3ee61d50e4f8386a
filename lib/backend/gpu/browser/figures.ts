import type { Figures } from '../choose.ts';

/** A worker has no storage that answers at once, so in a browser the figures (choose.ts) are measured at each start. */

export function describeMachine(): string {
  return navigator.userAgent;
}

export function readFigures(_key: string): Figures | undefined {
  return undefined;
}

export function writeFigures(_key: string, _figures: Figures): void {}
