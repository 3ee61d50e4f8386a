import { UserError } from '../errors.ts';
import type { Parameter } from '../nn/parameter.ts';
import { firstFew } from '../options.ts';
import { formatShape, sameShape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** Base of the optimisers: the parameters they change, and forgetting the gradients between steps. */
export abstract class Optimizer {
  /** What is trained. */
  readonly params: readonly Parameter[];
  /** The learning rate; it may be changed between steps. */
  lr: number;

  /** @throws UserError if there is no parameter, or the learning rate is negative or not a number */
  constructor(params: Iterable<Parameter>, lr: number) {
    this.params = [...params];
    this.lr = lr;
    if (this.params.length === 0) throw new UserError('optim: there is no parameter to train');
    if (new Set(this.params).size < this.params.length) {
      throw new UserError('optim: a parameter is given twice, and would be changed twice in each step');
    }
    requireAtLeastZero('a learning rate (lr)', lr);
  }

  /** Drops the gradients, so that the next backward starts from zero. */
  zeroGrad(): void {
    for (const parameter of this.params) parameter.grad = null;
  }

  /** Changes every parameter that has a gradient. */
  abstract step(): void;

  /** What the optimiser remembers, as tensors by the parameter's position, to save beside a model. Here: nothing. */
  stateDict(): Record<string, Tensor> {
    return {};
  }

  /**
   * Takes over the state of an optimiser of the same kind and of the same parameters.
   * @throws UserError if it is of another one; nothing is changed then
   */
  loadStateDict(state: Record<string, Tensor>): void {
    const keys = Object.keys(state);
    if (keys.length > 0)
      throw new UserError(`this optimiser remembers nothing; unexpected keys: ${firstFew(keys)}`);
  }
}

/** @throws UserError unless the value is a finite number of at least 0 */
export function requireAtLeastZero(what: string, value: number): void {
  if (!(value >= 0 && value < Infinity)) {
    throw new UserError(`optim: ${what} of ${value} is not a number of at least 0`);
  }
}

/**
 * Holds a saved state to the parameters: for parameter i it needs `i.step`, and once that is above 0 a tensor of the
 * parameter's shape for each slot, `i.m` for example. No other key may be there.
 *
 * @throws UserError that names the first keys that are missing, left over or of another shape
 */
export function requireStateFits(
  params: readonly Parameter[],
  state: Record<string, Tensor>,
  slots: readonly string[],
): void {
  const left = new Set(Object.keys(state));
  const missing: string[] = [];
  const wrong: string[] = [];
  params.forEach((parameter, i) => {
    const step = Object.hasOwn(state, `${i}.step`) ? state[`${i}.step`] : undefined;
    left.delete(`${i}.step`);
    if (!step) missing.push(`${i}.step`);
    else if (step.size !== 1 || !(Number.isInteger(step.item()) && step.item() >= 0))
      wrong.push(`${i}.step is no count`);
    else if (step.item() > 0) {
      for (const key of slots.map((slot) => `${i}.${slot}`)) {
        if (!Object.hasOwn(state, key)) missing.push(key);
        else if (!sameShape(state[key].shape, parameter.shape)) {
          wrong.push(
            `${key} is ${formatShape(state[key].shape)}, parameter ${i} ${formatShape(parameter.shape)}`,
          );
        }
        left.delete(key);
      }
    }
  });
  const problems = [
    missing.length > 0 && `missing keys: ${firstFew(missing)}`,
    left.size > 0 && `unexpected keys: ${firstFew([...left])}`,
    wrong.length > 0 && `wrong: ${firstFew(wrong, '; ')}`,
  ].filter(Boolean);
  if (problems.length > 0) {
    throw new UserError(
      `the optimiser's state does not fit its ${params.length} parameters: ${problems.join(' · ')}`,
    );
  }
}
