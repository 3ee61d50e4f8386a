import type { nn } from '../../../lib/index.ts';
import type { Method } from '../../chapter06/index.ts';

/** What is compared: the same model, messages and loop, and each time something else is trained. */

/** The weights that a run starts from: those of `mini`, or as they are drawn. */
export type Base = 'pretrained' | 'random';

export const BASES: readonly Base[] = ['pretrained', 'random'];

interface Compared {
  method: Method;
  lora?: nn.LoRAOptions;
}

/**
 * LoRA with alpha = rank, as in chapter 6's default of 16 and 16: the update is scaled by 1 at every rank, and one
 * learning rate means the same for all of them.
 */
function lora(rank: number, targets?: readonly string[]): Compared {
  return { method: 'lora', lora: { rank, alpha: rank, targets } };
}

/** The four matrices of attention, and the new head, which could not learn anything otherwise. */
const ATTENTION = ['W_query', 'W_key', 'W_value', 'out_proj', 'out_head'];

export const METHODS = {
  head: { method: 'head' },
  'last-block': { method: 'last-block' },
  'lora-1': lora(1),
  'lora-4': lora(4),
  'lora-16': lora(16),
  'lora-64': lora(64),
  'lora-16-attention': lora(16, ATTENTION),
  full: { method: 'full' },
} satisfies Record<string, Compared>;

export type MethodName = keyof typeof METHODS;

export const METHOD_NAMES = Object.keys(METHODS) as MethodName[];

/** What chapter 6 is asked to train, and LoRA's options, which only `lora` looks at. */
export function describeMethod(name: MethodName): { method: Method; lora: nn.LoRAOptions } {
  const { method, lora: options = { rank: 1, alpha: 1 } }: Compared = METHODS[name];
  return { method, lora: options };
}
