/** The worker's side of what the page asks: it answers one question after another. */

import { MINI_WEIGHTS } from '../../../chapters/chapter05/obtain-model.ts';
import { UserError, useBackend } from '../../../lib/index.ts';
import { readAll } from '../node/readAll.ts';
import { assetUrl, writeBytes } from '../node/store.ts';
import type { Ask, Lab, Told } from './lab-messages.ts';

export type Answers = {
  [K in keyof Lab]: (about: Parameters<Lab[K]>[0]) => Promise<ReturnType<Lab[K]>> | ReturnType<Lab[K]>;
};

export const tell = (told: Told) => postMessage(told);

export const failed = (error: unknown, id = -1) =>
  tell({ id, mistake: error instanceof Error ? error.message : String(error) });

/** Answers with these functions; what stops a training does not have to wait. */
export function answerBy(
  answers: Partial<Answers>,
  onFiles: (files: Record<string, Uint8Array>) => void,
): void {
  let turn: Promise<void> = Promise.resolve();
  self.onmessage = async ({ data }: MessageEvent<Ask | { files: Record<string, Uint8Array> }>) => {
    if ('files' in data) onFiles(data.files);
    else if (data.name === 'pause') await answer(data);
    else await (turn = turn.then(() => answer(data)));
  };
  const answer = async ({ id, name, about }: Ask) => {
    try {
      tell({ id, answer: await (answers[name] as (about: unknown) => unknown)(about) });
    } catch (error) {
      failed(error, id);
    }
  };
}

/** Starts an engine. The answer names the one that runs, and if it is not the one asked for, why not. */
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
  const { name, threads } = await useBackend('wasm');
  const alone = crossOriginIsolated ? '' : ' (a page that is not isolated has only one)';
  return `${name}, ${threads} thread${threads === 1 ? '' : 's'}${alone}${whyNot}`;
}

/** Fetches mini's weights to where the chapters look for them, and reports the progress. */
export async function fetchMini(): Promise<void> {
  const response = await fetch(assetUrl(MINI_WEIGHTS));
  if (!response.ok) throw new Error(`mini could not be loaded (${response.status})`);
  const bytes = await readAll(response, (received) => {
    tell({ loading: `mini: ${(received / 1e6).toFixed(1)} MB loaded` });
  });
  writeBytes(MINI_WEIGHTS, bytes, false);
}
