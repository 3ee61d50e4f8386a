/** The worker's side of the page's questions: it answers them one after another. */

import { expose } from 'comlink';
import { MINI_WEIGHTS } from '../../../chapters/chapter05/obtain-model.ts';
import { UserError, useBackend } from '../../../lib/index.ts';
import { readAll } from '../node/readAll.ts';
import { assetUrl, writeBytes } from '../node/store.ts';
import { NO_WEB_ASSEMBLY, type Report } from './lab-messages.ts';

export const tell = (report: Report) => postMessage(report);

/** The folders of files that the user has handed in: messages name the files without them. */
export const HANDED_IN = { data: '/tmp/data', adapters: '/tmp/adapters' };

// biome-ignore lint/suspicious/noExplicitAny: any functions, each with one argument at most
type Functions = Record<string, (about: any) => unknown>;

/**
 * Answers with these functions, one after another; those named `atOnce` do not wait for the others. An error reaches the page
 * as its message.
 */
export function serve<Answers extends object>(
  answers: Answers,
  atOnce: readonly (keyof Answers & string)[] = [],
): void {
  let turn: Promise<unknown> = Promise.resolve();
  const functions = answers as Functions;
  const answer = async (name: string, about: unknown) => {
    try {
      return await functions[name](about);
    } catch (error) {
      throw new Error(withoutFolders(error instanceof Error ? error.message : String(error)));
    }
  };
  const served = Object.keys(functions).map((name) => [
    name,
    (about: unknown) => {
      if ((atOnce as readonly string[]).includes(name)) return answer(name, about);
      const asked = turn.then(() => answer(name, about));
      turn = asked.catch(() => {});
      return asked;
    },
  ]);
  expose(Object.fromEntries(served));
}

/** The files by the names that the user knows: the worker's own folders mean nothing to anybody else. */
export function withoutFolders(message: string): string {
  const [data, adapters] = [HANDED_IN.data, HANDED_IN.adapters].map((folder) => `${folder}/`);
  return message.replaceAll(data, '').replaceAll(adapters, '').replaceAll('/hub/', '');
}

/** Starts an engine. The answer names the engine that runs, with the reason if it is not the engine that was asked for. */
export async function startEngine(wanted: 'CPU' | 'GPU'): Promise<string> {
  let whyNot = '';
  if (wanted === 'GPU') {
    try {
      const { mode, why } = await useBackend('gpu', { gpuMode: 'webgpu' });
      return `gpu, ${mode} (${why}; it has passed its self-test)`;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      whyNot = `; ${error.message.replace(/; ask for .*/, '')}`;
    }
  }
  requireWebAssembly();
  const { name, threads } = await useBackend('wasm');
  const alone = crossOriginIsolated ? '' : ' (a page that is not isolated has only one)';
  return `${name}, ${threads} thread${threads === 1 ? '' : 's'}${alone}${whyNot}`;
}

/** @throws UserError where the browser has none, or it is switched off */
export function requireWebAssembly(): void {
  if (typeof WebAssembly === 'object') return;
  throw new UserError(NO_WEB_ASSEMBLY);
}

/** Fetches mini's weights to where the chapters look for them, and reports the progress. */
export async function fetchMini(): Promise<void> {
  const response = await fetch(assetUrl(MINI_WEIGHTS)).catch(() => undefined);
  if (!response?.ok) {
    throw new UserError(`mini could not be loaded (${response?.status ?? 'no connection'}): try again`);
  }
  const bytes = await readAll(response, (received) => {
    tell({ loading: `mini: ${(received / 1e6).toFixed(1)} MB loaded` });
  });
  writeBytes(MINI_WEIGHTS, bytes, false);
}
