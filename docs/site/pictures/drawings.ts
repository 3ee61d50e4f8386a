/** What draws each picture, loaded when it is wanted: in a worker of the page, or while the site is built. */

import type { GPTModel } from '../../../chapters/chapter04/index.ts';
import type { Drawn } from './drawn.ts';
import type { InputOf, PictureName } from './pictures.ts';

type Draw<Name extends PictureName> = (input: InputOf<Name>) => Drawn | Promise<Drawn>;
type Drawings = { [Name in PictureName]: () => Promise<Draw<Name>> };

const DRAWINGS: Drawings = {
  tokens: async () => (await import('./tokens.ts')).drawTokens,
  attention: async () => {
    const [model, { drawAttention }] = [await mini(), await import('./attention.ts')];
    return (input) => drawAttention(model, input);
  },
  blocks: async () => (await import('./blocks.ts')).drawBlocks,
  next: async () => {
    const [model, { drawNext }] = [await mini(), await import('./next-token.ts')];
    return (input) => drawNext(model, input);
  },
  schedule: async () => (await import('./schedule.ts')).drawSchedule,
  graph: async () => (await import('./graph.ts')).drawGraph,
};

let loaded: Promise<GPTModel> | undefined;

/** The model, read once. */
function mini(): Promise<GPTModel> {
  loaded ??= (async () => {
    const { obtainModel } = await import('../../../chapters/chapter05/obtain-model.ts');
    return (await obtainModel({ model: 'mini' })).eval();
  })();
  return loaded;
}

/** @throws UserError in one line, if what was typed cannot be drawn */
export async function draw<Name extends PictureName>(name: Name, input: InputOf<Name>): Promise<Drawn> {
  const drawIt = (await DRAWINGS[name]()) as Draw<Name>;
  return drawIt(input);
}
