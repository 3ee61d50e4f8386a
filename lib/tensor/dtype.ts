import { BYTES_PER_ELEMENT, type DType } from '../backend/storage.ts';
import { UserError } from '../errors.ts';

/** The rules of the three types, in one place: which one a result has, and which numbers each can hold. */

/** The rank of each type: a result has the highest among its operands', as in PyTorch. */
const ORDER: readonly DType[] = ['bool', 'int32', 'float32'];

export function highestType(types: readonly DType[]): DType {
  return ORDER[Math.max(...types.map((type) => ORDER.indexOf(type)))];
}

/** @throws UserError unless it is one of the three types: `int64` or `cuda` would be read as something else. */
export function checkDType(dtype: DType, what: string): DType {
  if (typeof dtype === 'string' && Object.hasOwn(BYTES_PER_ELEMENT, dtype)) return dtype;
  throw new UserError(`${what}: there is no type ${String(dtype)}; it is float32, int32 or bool`);
}

/** A number as a tensor of that type holds it: bools are 0 or 1. @throws UserError if int32 cannot hold it. */
export function valueAs(dtype: DType, value: number | boolean, what: string): number {
  if (dtype === 'bool') return Number(value) === 0 ? 0 : 1;
  const number = Number(value);
  if (dtype === 'int32' && !(number > -(2 ** 31) - 1 && number < 2 ** 31)) {
    throw new UserError(`${what}: ${number} does not fit int32; it holds whole numbers below 2^31`);
  }
  return number;
}

/** @throws UserError unless it is a yes or a no: `{ keepdim: true }` in the place of `true` would count as yes. */
export function checkFlag(value: boolean, name: string, what: string): boolean {
  if (typeof value === 'boolean') return value;
  throw new UserError(`${what}: ${name} is true or false, not ${inWords(value)}`);
}

/** What was given in the place of something else, on one line. */
export function inWords(value: unknown): string {
  if (value === null || typeof value !== 'object') return String(value);
  if ('ndim' in value) return 'a tensor';
  return Array.isArray(value) ? 'an array' : 'an object';
}
