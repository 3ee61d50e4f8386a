import { checkFlag, noMore } from '../arguments.ts';
import { requireTensors } from '../tensor/requireTensors.ts';
import { Tensor } from '../tensor/tensor.ts';

/** A tensor that a module learns: found by `parameters()`, saved by `stateDict()`. */
export class Parameter extends Tensor {
  /** @throws UserError unless it is a tensor, of float32 where it requires a gradient */
  constructor(data: Tensor, requiresGrad = true, ...more: []) {
    noMore('Parameter', 2, more);
    requireTensors('Parameter', data);
    checkFlag(requiresGrad, 'requiresGrad', 'Parameter');
    super(data.contiguous().ndarray);
    this.requiresGrad_(requiresGrad);
  }

  override toString(): string {
    return `Parameter containing:\n${super.toString()}`;
  }
}

/** A tensor that belongs to a module without being learnt, e.g. a mask: saved only if `persistent`. */
export class Buffer extends Tensor {
  /** Does `stateDict()` save it? */
  readonly persistent: boolean;

  constructor(data: Tensor, persistent = true, ...more: []) {
    noMore('Buffer', 2, more);
    requireTensors('Buffer', data);
    super(data.ndarray);
    this.persistent = checkFlag(persistent, 'persistent', 'Buffer');
  }
}
