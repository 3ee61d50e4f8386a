import { Tensor } from '../tensor/tensor.ts';

/** A tensor that a module learns: found by `parameters()`, saved by `stateDict()`. */
export class Parameter extends Tensor {
  constructor(data: Tensor, requiresGrad = true) {
    super(data.contiguous().ndarray);
    this.requiresGrad = requiresGrad;
  }

  override toString(): string {
    return `Parameter containing:\n${super.toString()}`;
  }
}

/** A tensor that belongs to a module without being learnt, e.g. a mask: saved only if `persistent`. */
export class Buffer extends Tensor {
  /** Does `stateDict()` save it? */
  readonly persistent: boolean;

  constructor(data: Tensor, persistent = true) {
    super(data.ndarray);
    this.persistent = persistent;
  }
}
