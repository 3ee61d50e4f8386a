/** Chapter 4: the parts of a GPT, with the shape that leaves each and the numbers it has learnt or will. */

import {
  countParameters,
  GPT_CONFIG_124M,
  type GPTConfig,
  GPTModel,
} from '../../../chapters/chapter04/index.ts';
import { nn, noGrad, type Tensor, UserError, zeros } from '../../../lib/index.ts';
import { type Drawn, drawn } from './drawn.ts';
import type { InputOf } from './pictures.ts';

/** One text of four tokens. */
const IDS = [1, 4] as const;

/** A part of the model: what goes out of it, and its parameters; `file` is its place in the chapter. */
export interface Part {
  name: string;
  file: string;
  shape: readonly number[];
  count: number;
  inside?: Part[];
}

/** The parts of a model in the order in which ids go through them; of its equal blocks the first stands for all. */
export function partsOf(model: GPTModel): Part[] {
  return noGrad(() => {
    const ids = zeros(...IDS).int();
    const embedded = model.embed(ids); // [1, 4] → [2, 4, d]
    const [block] = model.trfBlocks;
    let x = embedded;
    const part = (name: string, file: string, module: nn.Module, out: Tensor): Part => {
      return { name, file, shape: out.shape, count: countParameters(module) };
    };
    const step = (name: string, file: string, module: nn.Module & { forward(x: Tensor): Tensor }): Part => {
      x = module.forward(x);
      return part(name, file, module, x);
    };
    const inside = [
      step('norm', '02-layer-norm', block.norm1),
      step(`attention, ${block.att.numHeads} heads`, '05-transformer-block', block.att),
      step('norm', '02-layer-norm', block.norm2),
      step('feed-forward', '03-feed-forward', block.ff),
    ];
    const blocks = part('transformer block', '05-transformer-block', block, block.forward(embedded));
    x = embedded;
    return [
      part('token embedding', '06-gpt-model', model.tokEmb, model.tokEmb.forward(ids)),
      part('+ position embedding', '06-gpt-model', model.posEmb, embedded),
      { ...blocks, inside },
      step('final norm', '02-layer-norm', model.finalNorm),
      step('head', '06-gpt-model', model.outHead),
    ];
  });
}

/** A model of that size, whose weights take no memory. @throws UserError if the heads cannot share the dimensions */
export function modelOf({ layers, width, heads }: InputOf<'blocks'>): GPTModel {
  const config: GPTConfig = { ...GPT_CONFIG_124M, nLayers: layers, embDim: width, nHeads: heads };
  if (width % heads !== 0)
    throw new UserError(`${width} dimensions cannot be divided among ${heads} heads: take another number`);
  return nn.init.skip(() => new GPTModel(config)).eval();
}

const whole = (count: number): string => count.toLocaleString('en');

export function drawBlocks(input: InputOf<'blocks'>): Drawn {
  const model = modelOf(input);
  const total = countParameters(model);
  const size = `${((total * 4) / 1024 ** 2).toFixed(2)} MB`;
  return drawn(
    'div',
    {},
    drawn('p', {}, `ids [${IDS.join(', ')}]: one text of four tokens`),
    drawn('ol', { class: 'blocks' }, ...partsOf(model).map((part) => box(part, model.config.nLayers))),
    drawn('p', { role: 'status' }, `${whole(total)} parameters, ${size} of float32`),
  );
}

function box({ name, file, shape, count, inside }: Part, layers: number): Drawn {
  const href = `source-chapters-chapter04-${file}.ts.html`;
  const times = inside ? `${layers} × ` : '';
  const facts = `→ [${shape.join(', ')}] · ${times}${whole(count)}`;
  const parts = inside ? [drawn('ol', { class: 'blocks' }, ...inside.map((part) => box(part, layers)))] : [];
  return drawn(
    'li',
    {},
    times,
    drawn('a', { href }, name),
    drawn('span', { class: 'share' }, ` ${facts}`),
    ...parts,
  );
}
