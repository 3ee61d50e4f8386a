/** The worker's side of what the page asks: it answers one question after another. */

import { assetUrl } from '../node/store.ts';
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

/** Fetches a file of the site, and reports its progress. */
export async function fetchAsset(path: string, name: string): Promise<Uint8Array> {
  const response = await fetch(assetUrl(path));
  if (!response.ok || !response.body) throw new Error(`${name} could not be loaded (${response.status})`);
  const total = Number(response.headers.get('content-length')) || 14_524_632;
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let received = 0;
  const reader = response.body.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    pieces.push(next.value);
    received += next.value.length;
    tell({ loading: `${name}: ${(received / 1e6).toFixed(1)} of ${(total / 1e6).toFixed(1)} MB` });
  }
  return new Uint8Array(await new Blob(pieces).arrayBuffer());
}
