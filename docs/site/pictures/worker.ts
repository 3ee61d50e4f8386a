/** The worker of the pictures: what the reader sets comes in, what is to be shown goes out. */

import { fetchMini } from '../worker/answering.ts';
import { draw } from './drawings.ts';
import { htmlOf } from './drawn.ts';
import { type InputOf, PICTURES, type Picture, type PictureName } from './pictures.ts';

export interface Asked {
  name: PictureName;
  input: InputOf<PictureName>;
}

export type Shown = { html: string } | { mistake: string } | { loading: string };

let fetched: Promise<void> | undefined;

self.onmessage = async ({ data: { name, input } }: MessageEvent<Asked>) => {
  try {
    const { mini }: Picture = PICTURES[name];
    if (mini) await (fetched ??= fetchMini());
    postMessage({ html: htmlOf(await draw(name, input)) } satisfies Shown);
  } catch (error) {
    postMessage({ mistake: (error as Error).message } satisfies Shown);
  }
};
