import { ones, zeros } from '../tensor/create.ts';
import { toExponential } from '../tensor/format.ts';
import type { Tensor } from '../tensor/tensor.ts';
import * as F from './functional.ts';
import { normal, uniform } from './init.ts';
import { Module } from './module.ts';
import { Parameter } from './parameter.ts';

/** y = x Wᵀ + b, with weight W [out, in] and bias b [out], both from U(±1/√in) as in PyTorch. */
export class Linear extends Module {
  weight: Parameter;
  bias: Parameter | null;

  constructor(inFeatures: number, outFeatures: number, options: { bias?: boolean } = {}) {
    super();
    const bound = 1 / Math.sqrt(inFeatures);
    this.weight = new Parameter(uniform([outFeatures, inFeatures], -bound, bound));
    this.bias = (options.bias ?? true) ? new Parameter(uniform([outFeatures], -bound, bound)) : null;
  }

  /** A Linear of given weight [out, in] and bias [out]: nothing is drawn. */
  static of(weight: Tensor, bias: Tensor | null): Linear {
    const linear: Linear = Object.create(Linear.prototype);
    return Object.assign(linear, {
      training: true,
      weight: new Parameter(weight),
      bias: bias && new Parameter(bias),
    });
  }

  get inFeatures(): number {
    return this.weight.shape[1];
  }
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
  weight: Parameter;

  constructor(count: number, dim: number) {
    super();
    this.weight = new Parameter(normal([count, dim]));
  }

  protected override describe(): string {
    return this.weight.shape.join(', ');
  }

  forward(ids: Tensor): Tensor {
    return F.embedding(this.weight, ids);
  }
}

/** Dropout while training, nothing in eval mode. */
export class Dropout extends Module {
  readonly rate: number;

  constructor(rate: number) {
    super();
    this.rate = rate;
  }

  protected override describe(): string {
    return `p=${Number.isInteger(this.rate) ? this.rate.toFixed(1) : this.rate}, inplace=False`;
  }

  forward(x: Tensor): Tensor {
    return F.dropout(x, this.rate, this.training);
  }
}

/** A list of modules; each is named by its position. */
export class ModuleList extends Module {
  [index: number]: Module;
  readonly length: number;

  constructor(modules: readonly Module[]) {
    super();
    this.length = modules.length;
    modules.forEach((module, i) => {
      this[i] = module;
    });
  }

  /** The modules in their order. */
  *[Symbol.iterator](): Generator<Module> {
    for (let i = 0; i < this.length; i++) yield this[i];
  }

  at(position: number): Module {
    return this[position < 0 ? position + this.length : position];
  }

  forward(): Tensor {
    throw new Error('a ModuleList has no forward of its own: call its modules');
  }
}

/** Modules one after the other. */
export class Sequential extends ModuleList {
  constructor(...modules: Module[]) {
    super(modules);
  }

  override forward(...inputs: Tensor[]): Tensor {
    let [x] = inputs;
    for (const module of this) x = module.forward(x);
    return x;
  }
}

export class ReLU extends Module {
  forward(x: Tensor): Tensor {
    return F.relu(x);
  }
}

/** Layer norm with PyTorch's names (weight, bias) and eps. */
export class LayerNorm extends Module {
  weight: Parameter;
  bias: Parameter;
  readonly eps: number;

  constructor(dim: number, options: { eps?: number } = {}) {
    super();
    this.weight = new Parameter(ones(dim));
    this.bias = new Parameter(zeros(dim));
    this.eps = options.eps ?? 1e-5;
  }

  protected override describe(): string {
    return `(${this.weight.shape[0]},), eps=${toExponential(this.eps, 0)}, elementwise_affine=True`;
  }

  forward(x: Tensor): Tensor {
    return F.layerNorm(x, this.weight, this.bias, this.eps);
  }
}
