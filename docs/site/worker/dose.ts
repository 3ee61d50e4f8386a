/** The Linears of a model, and the model with its update made weaker or simpler. */

import { directions } from '../../../chapters/appendixE/singular-values.ts';
import { nn, tensor } from '../../../lib/index.ts';
import type { Dose } from './lab-messages.ts';

/** The Linears of a model with their paths, with LoRA or without. */
export function linears(model: nn.Module): [string, nn.Linear | nn.LinearWithLoRA][] {
  const all = [...model.namedModules()] as [string, nn.Module][];
  const wrapped = all.filter(([, module]) => module instanceof nn.LinearWithLoRA).map(([path]) => path);
  return all.filter(([path, module]) => {
    const isInside = wrapped.some((outer) => path.startsWith(`${outer}.`));
    return (module instanceof nn.Linear && !isInside) || module instanceof nn.LinearWithLoRA;
  }) as [string, nn.Linear | nn.LinearWithLoRA][];
}

/** A copy of a tensor's numbers. */
export function numbers(tensor: { detach(): { contiguous(): Contiguous } }): Float32Array {
  const { storage, offset, size } = tensor.detach().contiguous();
  return Float32Array.from(storage.data.subarray(offset, offset + size));
}

interface Contiguous {
  storage: { data: Float32Array | Int32Array | Uint8Array };
  offset: number;
  size: number;
}

/** Does the work with the update multiplied and cut to its first directions. Then the model is as it was, even if the work throws. */
export function dosed<T>(model: nn.Module, { strength, directions: kept }: Dose, work: () => T): T {
  if (strength === 1 && kept === undefined) return work();
  const layers = linears(model).flatMap(([, linear]) =>
    linear instanceof nn.LinearWithLoRA && linear.active ? [linear.lora] : [],
  );
  const before = layers.map((lora) => ({ lora, A: lora.A, B: lora.B }));
  const restore = () => {
    for (const { lora, A, B } of before) Object.assign(lora, { A, B });
  };
  let result: T;
  try {
    for (const { lora, A, B } of before) {
      const [inDim, rank, outDim] = [A.shape[0], lora.rank, B.shape[1]];
      let factors = { A: numbers(A), B: numbers(B) };
      if (kept !== undefined && kept < rank)
        factors = directions({ ...factors, inDim, rank, outDim }).keep(kept);
      lora.A = new nn.Parameter(tensor(factors.A).view(inDim, rank), false);
      lora.B = new nn.Parameter(tensor(factors.B).view(rank, outDim).mul(strength), false);
    }
    result = work();
  } catch (error) {
    restore();
    throw error;
  }
  if (result instanceof Promise) return result.finally(restore) as T;
  restore();
  return result;
}
