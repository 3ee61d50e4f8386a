import { UserError } from '../errors.ts';

/**
 * What PyTorch takes as a further argument and we do not (`topk(k, -1, false)` before there was one) must not be
 * dropped without a word: the answer would be another one. Types alone cannot see to that, since tsx and plain
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

/** For functions: `...more: []` in the signature, and this as the first line. */
export function noMore(what: string, most: number, more: readonly unknown[]): void {
  if (more.length > 0) tooMany(what, most, most + more.length);
}

function tooMany(what: string, most: number, given: number): never {
  const takes = most === 0 ? 'no argument' : most === 1 ? 'one argument' : `at most ${most} arguments`;
  throw new UserError(`${what}: it takes ${takes}, not ${given}`);
}
