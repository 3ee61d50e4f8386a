/** The engine that a run computes on, in words. */

import { type BackendChoice, gpuTraffic, type Traffic } from '../../lib/index.ts';
import type { Notebook } from './notebook.ts';

/** `wasm, 2 threads, 256-bit vectors (no GPU found)`. The reason in full, with what each way to a GPU said, is in `--json`. */
export function describeEngine(engine: BackendChoice): string {
  const threads = engine.threads && `${engine.threads} thread${engine.threads === 1 ? '' : 's'}`;
  const note = engine.vectorsNote ? ` (${engine.vectorsNote})` : '';
  const vectors = engine.vectors && `${engine.vectors}-bit vectors${note}`;
  const parts = [engine.name, engine.mode, threads, vectors].filter(Boolean);
  // Names of devices stand in parentheses, and some are longer than the line.
  const why = /^no GPU\b/.test(engine.why) ? 'no GPU found' : engine.why.replaceAll(/ \([^)]*\)/g, '');
  return `${parts.join(', ')} (${why})`;
}

/** What went over the bus to a GPU and back: the figures that are the same on any card. */
export function noteTraffic(notebook: Notebook): void {
  const gpu = gpuTraffic();
  if (!gpu) return;
  const perStep = gpu.perStep && `; a training step: ${describeTraffic(gpu.perStep)}`;
  notebook.note(`GPU: ${describeTraffic(gpu.traffic)}${perStep ?? ''}`);
  notebook.figure('gpu', { traffic: gpu.traffic, perStep: gpu.perStep, lost: gpu.lost });
}

function describeTraffic({ bytesUp, bytesDown, waits, launches }: Traffic): string {
  const bytes = (n: number) => {
    if (n < 1e3) return `${n} B`;
    return n < 1e6 ? `${(n / 1e3).toFixed(1)} KB` : `${(n / 1e6).toFixed(1)} MB`;
  };
  return `${bytes(bytesUp)} up, ${bytes(bytesDown)} down, ${waits} waits, ${launches} kernels`;
}

/** The most memory this process has held so far, in GB (10⁹ bytes). */
export function showPeakMemory(nb: Notebook): void {
  const peak = (process.resourceUsage().maxRSS * 1024) / 1e9;
  nb.note(`Peak memory of this run: ${peak.toFixed(2)} GB`);
  nb.figure('peakMemoryGB', peak);
}
