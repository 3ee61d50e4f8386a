import { inWords, tooMany } from '../arguments.ts';
import { UserError } from '../errors.ts';
import { Tensor } from './tensor.ts';

/**
 * What PyTorch takes as a further argument and we do not (`topk(k, -1, false)` before there was one) must not be
 * silently dropped: the answer would be another one. Types alone cannot ensure that, since tsx and plain
 * JavaScript check none.
 */

/** The names of a class's methods. */
type MethodsOf<T> = { [K in keyof T]: T[K] extends (...args: never[]) => unknown ? K : never }[keyof T];

/** The most arguments of each method; the compiler knows them, and `number` stands for any number of them. */
export type MostArguments<T> = {
  readonly [K in MethodsOf<T>]: T[K] extends (...args: infer Args) => unknown
    ? Required<Args>['length']
    : never;
};

/** Makes every method in the table refuse more arguments than it takes. */
export function refuseSurplus<T extends object>(prototype: T, most: MostArguments<T>): void {
  for (const [name, count] of Object.entries<number>(most)) {
    if (count === Number.POSITIVE_INFINITY) continue;
    const method = Reflect.get(prototype, name) as (...args: unknown[]) => unknown;
    const strict = function (this: T, ...args: unknown[]) {
      if (args.length > count) tooMany(name, count, args.length);
      return method.apply(this, args);
    };
    Object.defineProperty(prototype, name, { value: strict, writable: true, configurable: true });
  }
}

/** @throws UserError unless all are tensors: not a number, an array or nothing in place of one. */
export function requireTensors(what: string, ...given: readonly Tensor[]): void {
  for (const x of given) {
    if (!(x instanceof Tensor)) throw new UserError(`${what}: a tensor is expected, not ${inWords(x)}`);
  }
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
