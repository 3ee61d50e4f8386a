import { checkNumber, firstFew, inWords, type MostArguments } from '../arguments.ts';
import { UserError } from '../errors.ts';
import type { Parameter } from '../nn/parameter.ts';
import { requireState } from '../tensor/requireTensors.ts';
import { formatShape, sameShape } from '../tensor/shape.ts';
import { Tensor } from '../tensor/tensor.ts';

/** Base of the optimisers: the parameters they change, and forgetting the gradients between steps. */
export abstract class Optimizer {
  /** What is trained. */
  readonly params: readonly Parameter[];
  #lr = 0;

  /** @throws UserError if there is no parameter, or the learning rate is negative or not a number */
  constructor(params: Iterable<Parameter>, lr: number) {
    this.params = parametersFrom(params, 'optim');
    if (this.params.length === 0) throw new UserError('optim: there is no parameter to train');
    if (new Set(this.params).size < this.params.length) {
      throw new UserError('optim: a parameter is given twice, and would be changed twice in each step');
    }
    this.lr = lr;
  }

  /** The learning rate, which a schedule may change between steps. */
  get lr(): number {
    return this.#lr;
  }
  /** @throws UserError unless it is a finite number of at least 0 */
  set lr(lr: number) {
    this.#lr = checkNumber(lr, 'the learning rate (lr)', 'optim', 0);
  }

  /** Drops the gradients, so that the next backward starts from zero. */
  zeroGrad(): void {
    for (const parameter of this.params) parameter.grad = null;
  }

  /** Changes every parameter that has a gradient. @throws UserError if one does not fit its parameter */
  abstract step(): void;

  /** The parameters that have a gradient, each with its gradient. */
  protected *gradients(): Generator<[parameter: Parameter, gradient: Tensor]> {
    for (const parameter of this.params) {
      if (!parameter.grad) continue;
      requireFits(parameter, parameter.grad);
      yield [parameter, parameter.grad];
    }
  }

  /** What the optimiser remembers, as tensors by the parameter's position, to save beside a model. Here: nothing. */
  stateDict(): Record<string, Tensor> {
    return {};
  }

  /**
   * Takes over the state of an optimiser of the same kind with the same parameters.
   * @throws UserError if it is of another one; nothing is changed then
   */
  loadStateDict(state: Record<string, Tensor>): void {
    requireState(state, 'loadStateDict');
    const keys = Object.keys(state);
    if (keys.length > 0)
      throw new UserError(`this optimiser remembers nothing; unexpected keys: ${firstFew(keys)}`);
  }
}

/** How many arguments each method takes at most: PyTorch's `step(closure)` and `zero_grad(set_to_none)` are refused. */
export const MOST_ARGUMENTS: MostArguments<Optimizer> = {
  ...{ zeroGrad: 0, step: 0, stateDict: 0, loadStateDict: 1 },
};

/** @throws UserError if a gradient that was set by hand is not of its parameter's shape and type */
export function requireFits({ shape }: Parameter, gradient: Tensor): void {
  if (gradient instanceof Tensor && gradient.dtype === 'float32' && sameShape(gradient.shape, shape)) return;
  const given =
    gradient instanceof Tensor ? `${gradient.dtype} ${formatShape(gradient.shape)}` : inWords(gradient);
  throw new UserError(`optim: a gradient of float32 ${formatShape(shape)} is expected, not ${given}`);
}

/** @throws UserError unless it is a list of parameters, e.g. `model.parameters()` */
export function parametersFrom(params: Iterable<Parameter>, what: string): Parameter[] {
  const isList = typeof params === 'object' && params !== null && Symbol.iterator in params;
  const list = isList ? Array.from(params) : [];
  const wrong = isList ? list.find((each) => !(each instanceof Tensor)) : params;
  if (isList && wrong === undefined) {
    for (const { dtype, isLeaf, shape } of list) {
      if (dtype === 'float32' && isLeaf) continue;
      const given = isLeaf ? `${dtype} ${formatShape(shape)}` : 'the result of an operation';
      throw new UserError(`${what}: parameters are float32 leaves, not ${given}`);
    }
    return list;
  }
  throw new UserError(`${what}: a list of parameters is expected, model.parameters(), not ${inWords(wrong)}`);
}

/**
 * Checks a saved state against the parameters: for parameter i it needs `i.step`, and once that is above 0 a tensor
 * of the parameter's shape and type for each slot, `i.m` for example. No other key may be there.
 *
 * @throws UserError that names the first keys that are missing, left over, or of another shape or type
 */
export function requireStateFits(
  params: readonly Parameter[],
  state: Record<string, Tensor>,
  slots: readonly string[],
): void {
  requireState(state, 'loadStateDict');
  const left = new Set(Object.keys(state));
  const missing: string[] = [];
  const wrong: string[] = [];
  params.forEach((parameter, i) => {
    const step = Object.hasOwn(state, `${i}.step`) ? state[`${i}.step`] : undefined;
    left.delete(`${i}.step`);
    if (!step) missing.push(`${i}.step`);
    else if (step.size !== 1 || !(Number.isInteger(step.item()) && step.item() >= 0))
      wrong.push(`${i}.step is not a count`);
    else if (step.item() > 0) {
      for (const key of slots.map((slot) => `${i}.${slot}`)) {
        if (!Object.hasOwn(state, key)) missing.push(key);
        else if (state[key].dtype !== parameter.dtype) {
          wrong.push(`${key} is ${state[key].dtype}, parameter ${i} ${parameter.dtype}`);
        } else if (!sameShape(state[key].shape, parameter.shape)) {
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
