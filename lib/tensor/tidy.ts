import { inWords, noMore } from '../arguments.ts';
import { listingStorages } from '../backend/dispatch.ts';
import type { Storage } from '../backend/storage.ts';
import { UserError } from '../errors.ts';
import { noGrad } from './autograd.ts';
import { Tensor } from './tensor.ts';

/**
 * Runs `body` as `noGrad` does, and gives back at once the memory of all that was computed in it, but for the tensor, or
 * the list of tensors, that it returns: a token's way through a model leaves nothing behind, and the next one finds the
 * same memory, still in the processor's cache. Without it, memory waits for the garbage collector. TensorFlow.js calls
 * it tidy as well.
 *
 * Any other tensor that `body` has computed and put aside, in a variable or a field, cannot be read afterwards: that is an
 * error. What was there before, or is written in place, stays.
 * @throws UserError unless body is a function
 */
export function tidy<T>(body: () => T, ...more: []): T {
  noMore('tidy', 1, more);
  if (typeof body !== 'function') throw new UserError(`tidy: a function is expected, not ${inWords(body)}`);
  const made: Storage[] = [];
  let result: T | undefined;
  try {
    listingStorages(made, () => {
      result = noGrad(body);
    });
  } finally {
    const kept = new Set([result].flat().map((x) => (x instanceof Tensor ? x.storage : undefined)));
    for (const storage of made) if (!kept.has(storage)) storage.release();
  }
  return result as T;
}
