import { inWords } from '../arguments.ts';
import { UserError } from '../errors.ts';
import { formatShape } from './shape.ts';
import { Tensor } from './tensor.ts';

/** @throws UserError unless all are tensors: not a number, an array or nothing in place of one. */
export function requireTensors(what: string, ...given: readonly Tensor[]): void {
  for (const x of given) {
    if (!(x instanceof Tensor)) throw new UserError(`${what}: a tensor is expected, not ${inWords(x)}`);
  }
}

/** What was given where a certain tensor is expected, for a message. */
export function tensorInWords(t: unknown): string {
  return t instanceof Tensor ? `${t.dtype} of ${formatShape(t.shape)}` : inWords(t);
}

/** @throws UserError if something other than a tensor is given where one may be left out. */
export function requireTensorIfGiven(what: string, x: Tensor | null | undefined): void {
  if (x !== undefined && x !== null) requireTensors(what, x);
}

/** @throws UserError unless it is an object of tensors by name */
export function requireState(state: Record<string, Tensor>, what: string): void {
  const isObject = typeof state === 'object' && state !== null && !Array.isArray(state);
  const wrong = isObject ? Object.entries(state).find(([, value]) => !(value instanceof Tensor)) : undefined;
  if (isObject && !wrong) return;
  const given = wrong ? `${inWords(wrong[1])} as ${wrong[0]}` : inWords(state);
  throw new UserError(`${what}: tensors by name are expected, not ${given}`);
}
