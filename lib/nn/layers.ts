import { checkCount, checkFlag, checkNumber, checkOptions, inWords, noMore } from '../arguments.ts';
import { UserError } from '../errors.ts';
import { ones, zeros } from '../tensor/create.ts';
import { toExponential } from '../tensor/format.ts';
import { requireTensors } from '../tensor/requireTensors.ts';
import { formatShape, sameShape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import * as F from './functional.ts';
import { normal, uniform } from './init.ts';
import { Module } from './module.ts';
import { Parameter } from './parameter.ts';

/** y = x Wᵀ + b, with weight W [out, in] and bias b [out], both from U(±1/√in) as in PyTorch. */
export class Linear extends Module {
  /** W [out, in]. */
  weight: Parameter;
  /** b [out], or null. */
  bias: Parameter | null;

  /** @throws UserError unless both are whole numbers from 0 up */
  constructor(inFeatures: number, outFeatures: number, options: { bias?: boolean } = {}, ...more: []) {
    super();
    noMore('Linear', 3, more);
    checkCount(inFeatures, 0, 'inFeatures', 'Linear');
    checkCount(outFeatures, 0, 'outFeatures', 'Linear');
    checkOptions('Linear', options, ['bias']);
    const bound = inFeatures > 0 ? 1 / Math.sqrt(inFeatures) : 0;
    this.weight = new Parameter(uniform(zeros(outFeatures, inFeatures), -bound, bound));
    this.bias = checkFlag(options.bias ?? true, 'bias', 'Linear')
      ? new Parameter(uniform(zeros(outFeatures), -bound, bound))
      : null;
  }

  /**
   * A Linear of given weight [out, in] and bias [out]: nothing is drawn. A Parameter is taken as it is, so that two
   * layers can share it: `Linear.of(embedding.weight, null)` is a tied head.
   */
  static of(weight: Tensor, bias: Tensor | null = null, ...more: []): Linear {
    noMore('Linear.of', 2, more);
    requireTensors('Linear.of', weight, ...(bias ? [bias] : []));
    if (weight.ndim !== 2 || (bias && !sameShape(bias.shape, [weight.shape[0]]))) {
      const given = [weight, bias].map((t) => (t ? formatShape(t.shape) : 'none')).join(' and ');
      throw new UserError(`Linear.of: a weight [out, in] and a bias [out] are expected, not ${given}`);
    }
    const own = (t: Tensor) => (t instanceof Parameter ? t : new Parameter(t));
    const linear: Linear = Object.create(Linear.prototype);
    return Object.assign(linear, { training: true, weight: own(weight), bias: bias && own(bias) });
  }

  /** The length of x's last axis. */
  get inFeatures(): number {
    return this.weight.shape[1];
  }
  /** The length of y's last axis. */
  get outFeatures(): number {
    return this.weight.shape[0];
  }

  protected override describe(): string {
    return `in_features=${this.inFeatures}, out_features=${this.outFeatures}, bias=${this.bias ? 'True' : 'False'}`;
  }

  /** x [..., in] → [..., out]. */
  forward(x: Tensor): Tensor {
    return F.linear(x, this.weight, this.bias);
  }
}

/** A table of vectors, weight [count, dim] from N(0, 1): ids [...] → [..., dim]. */
export class Embedding extends Module {
  /** [count, dim]. */
  weight: Parameter;

  /** @throws UserError unless both are whole numbers from 0 up */
  constructor(count: number, dim: number, ...more: []) {
    super();
    noMore('Embedding', 2, more);
    checkCount(count, 0, 'the number of vectors', 'Embedding');
    checkCount(dim, 0, 'the dimension', 'Embedding');
    this.weight = new Parameter(normal(zeros(count, dim)));
  }

  protected override describe(): string {
    return this.weight.shape.join(', ');
  }

  /** ids [...], int32 → [..., dim]. @throws UserError if an id is not in the table */
  forward(ids: Tensor): Tensor {
    return F.embedding(this.weight, ids);
  }
}

/** Dropout while training, nothing in eval mode. */
export class Dropout extends Module {
  /** How many of the elements become 0, from 0 to 1; the others are scaled by 1 / (1 − rate). */
  readonly rate: number;

  /** @throws UserError if the rate is not in [0, 1] */
  constructor(rate: number, ...more: []) {
    super();
    noMore('Dropout', 1, more);
    checkNumber(rate, 'the rate', 'dropout', 0, 1);
    this.rate = rate;
  }

  protected override describe(): string {
    return `p=${Number.isInteger(this.rate) ? this.rate.toFixed(1) : this.rate}, inplace=False`;
  }

  /** x of any shape → the same shape. */
  forward(x: Tensor): Tensor {
    return F.dropout(x, this.rate, this.training);
  }
}

/** A list of modules of one kind, or of several; each is named by its position. */
export class ModuleList<M extends Module = Module> extends Module {
  [index: number]: M;
  /** How many there are. */
  readonly length: number;

  /** @throws UserError unless it is a list of modules */
  constructor(modules: readonly M[], ...more: []) {
    super();
    noMore('ModuleList', 1, more);
    const wrong = Array.isArray(modules) ? modules.find((each) => !(each instanceof Module)) : modules;
    if (!Array.isArray(modules) || modules.some((each) => !(each instanceof Module)))
      throw new UserError(`${this.constructor.name}: modules are expected, not ${inWords(wrong)}`);
    this.length = modules.length;
    modules.forEach((module, i) => {
      this[i] = module;
    });
  }

  /** The modules in their order. */
  *[Symbol.iterator](): Generator<M> {
    for (let i = 0; i < this.length; i++) yield this[i];
  }

  /** The module at a position; −1 is the last one. @throws UserError if there is none */
  at(position: number): M {
    const module = this[position < 0 ? position + this.length : position];
    if (!module) throw new UserError(`at: there is no module ${position} in a list of ${this.length}`);
    return module;
  }

  /** A list computes nothing. @throws UserError always */
  forward(..._inputs: unknown[]): Tensor {
    throw new UserError('a ModuleList has no forward of its own: call its modules');
  }
}

/** Modules one after the other: `Sequential<Block[]>` holds blocks, `Sequential<[Linear, ReLU]>` one of each. */
export class Sequential<Modules extends readonly Module[] = Module[]> extends ModuleList<Modules[number]> {
  constructor(...modules: Modules) {
    super(modules);
  }

  /** x through all modules, one after the other. */
  override forward(x: Tensor): Tensor {
    for (const module of this) x = module.forward(x);
    return x;
  }
}

/** max(x, 0). */
export class ReLU extends Module {
  /** x of any shape → the same shape. */
  forward(x: Tensor): Tensor {
    return F.relu(x);
  }
}

/** Layer norm with PyTorch's names (weight, bias) and eps. */
export class LayerNorm extends Module {
  /** γ [dim], ones at first. */
  weight: Parameter;
  /** β [dim], zeros at first. */
  bias: Parameter;
  /** Added to the variance, so that nothing is divided by 0; 1e−5. */
  readonly eps: number;

  constructor(dim: number, options: { eps?: number } = {}, ...more: []) {
    super();
    noMore('LayerNorm', 2, more);
    checkOptions('LayerNorm', options, ['eps']);
    this.weight = new Parameter(ones(dim));
    this.bias = new Parameter(zeros(dim));
    this.eps = checkNumber(options.eps ?? 1e-5, 'eps', 'LayerNorm', 0);
  }

  protected override describe(): string {
    return `(${this.weight.shape[0]},), eps=${toExponential(this.eps, 0)}, elementwise_affine=True`;
  }

  /** x [..., dim] → the same shape. */
  forward(x: Tensor): Tensor {
    return F.layerNorm(x, this.weight, this.bias, this.eps);
  }
}
