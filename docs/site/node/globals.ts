/** What Node has without an import: `process` and `setImmediate`. The bundler puts them where a chapter names them. */

import { memoryUse, yieldToRuntime } from '../../../lib/index.ts';

type Listener = (signal: string) => void;
const listeners = new Map<string, Set<Listener>>();

export const process = {
  argv: ['node', ''],
  env: { LLMS_BACKEND: 'wasm' } as Record<string, string | undefined>,
  exitCode: undefined as number | undefined,
  pid: 1,
  platform: 'browser',
  versions: { node: '20.19.0' }, // what its modules are written after: the oldest that the chapters run on
  cwd: (): string => '/',
  on(event: string, listener: Listener): void {
    listeners.set(event, (listeners.get(event) ?? new Set()).add(listener));
  },
  off(event: string, listener: Listener): void {
    listeners.get(event)?.delete(listener);
  },
  /** Does anyone listen for this signal? */
  emit(event: string): boolean {
    for (const listener of listeners.get(event) ?? []) listener(event);
    return (listeners.get(event)?.size ?? 0) > 0;
  },
  stdout: { isTTY: false, columns: 100, on: (): void => {}, write: (): void => {} },
  stderr: { isTTY: false, columns: 100, on: (): void => {}, write: (): void => {} },
  /** The peak memory of tensors, in KiB: a page is told of nothing else. */
  resourceUsage: () => ({ maxRSS: Math.round(memoryUse().reserved / 1024) }),
};

export function setImmediate(then?: (value?: unknown) => void): void {
  void yieldToRuntime().then(then);
}
