import { inWords } from '../arguments.ts';
import type { DType } from '../backend/storage.ts';
import { UserError } from '../errors.ts';

/** The rules of the three types, in one place: which one a result has, and which numbers each can hold. */

/** The rank of each type: a result has the highest among its operands', as in PyTorch. */
const ORDER: readonly DType[] = ['bool', 'int32', 'float32'];

export function highestType(types: readonly DType[]): DType {
  const rank = types.reduce((highest, type) => Math.max(highest, ORDER.indexOf(type)), 0);
  return ORDER[rank];
}

/** @throws UserError unless it is one of the three types: `int64` or `cuda` would be read as something else. */
export function checkDType(dtype: DType, what: string): DType {
  if (ORDER.includes(dtype)) return dtype;
  throw new UserError(`${what}: there is no type ${inWords(dtype)}; it is float32, int32 or bool`);
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
