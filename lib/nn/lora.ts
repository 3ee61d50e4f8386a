/**
 * LoRA: low-rank adaptation (Hu et al. 2021, https://arxiv.org/abs/2106.09685, section 4.1).
 *
 * Fine-tuning moves a weight from W to W + ΔW. LoRA learns ΔW as a product of two thin matrices and leaves W
 * alone:
 *
 *        x [.., in] ───────────────┬───────────────────────────┐
 *                                  │                           │
 *                        ┌─────────┴─────────┐         ┌───────┴───────┐
 *                        │                   │          ╲  A [in, r]  ╱
 *                        │   W   [out × in]  │           ╲___________╱      r ≪ in, out
 *                        │      frozen       │           ╱           ╲
 *                        │                   │          ╱  B [r, out] ╲     zero at first
 *                        └─────────┬─────────┘         └───────┬───────┘
 *                                  │                           │ · alpha / r
 *                                  └──────────── + ────────────┘
 *                                                │
 *                                           y [.., out] = x Wᵀ + b + (alpha / r) · x A B
 *
 * in · out numbers become r · (in + out): 589,824 become 24,576 for GPT-2's 768 × 768 at rank 16. Since B starts at
 * zero, a wrapped model answers as before until the first step of training. Afterwards the product can be
 * merged into W, and costs nothing more.
 */

import { checkCount, checkNumber, checkOptions, checkWord, inWords, noMore } from '../arguments.ts';
import { UserError } from '../errors.ts';
import { noGrad } from '../tensor/autograd.ts';
import { zeros } from '../tensor/create.ts';
import { linearWithLowRank } from '../tensor/ops/lowRank.ts';
import { matmul } from '../tensor/ops/matmul.ts';
import type { Tensor } from '../tensor/tensor.ts';
import * as F from './functional.ts';
import { kaimingUniform, skip } from './init.ts';
import { Linear } from './layers.ts';
import { Module } from './module.ts';
import { Parameter } from './parameter.ts';

/** How A is drawn, how the update is scaled, and what of its input is dropped while training. */
export interface LoRALayerOptions {
  /** The rate at which elements of x are dropped on the way into A; W sees all of them. */
  dropout?: number;
  /** `book` draws A [in, r] from ±1/√r, `peft` from ±1/√in, as PEFT and the paper's own code do. */
  init?: 'book' | 'peft';
  /** alpha / r, or alpha / √r (rsLoRA, Kalajdzievski 2023, https://arxiv.org/abs/2312.03732). */
  scaling?: 'alpha/r' | 'rslora';
}

export const LORA_LAYER_OPTIONS = ['dropout', 'init', 'scaling'] as const;

/** The update alone: x [..., in] → scaling · x A B [..., out]. */
export class LoRALayer extends Module {
  /** [in, r], random at first. */
  A: Parameter;
  /** [r, out], zero at first. */
  B: Parameter;
  /** r. */
  readonly rank: number;
  /** The update is scaled by alpha / r. */
  readonly alpha: number;
  /** The rate at which elements of x are dropped on the way into A, while training. */
  readonly dropout: number;
  /** Is it scaled by alpha / √r instead (rsLoRA)? */
  readonly rankStabilised: boolean;

  /** @throws UserError if the rank is not a positive integer, alpha not a number, or an option unknown */
  constructor(
    inDim: number,
    outDim: number,
    rank: number,
    alpha: number,
    options: LoRALayerOptions = {},
    ...more: []
  ) {
    super();
    noMore('LoRALayer', 5, more);
    checkCount(inDim, 1, 'the input', 'LoRA');
    checkCount(outDim, 1, 'the output', 'LoRA');
    checkOptions('LoRA', options, LORA_LAYER_OPTIONS);
    const { dropout = 0, init = 'book', scaling = 'alpha/r' } = options;
    checkCount(rank, 1, 'the rank', 'LoRA');
    checkNumber(alpha, 'alpha', 'LoRA');
    checkNumber(dropout, 'the rate', 'dropout', 0, 1);
    checkWord(init, ['book', 'peft'], 'init', 'LoRA');
    checkWord(scaling, ['alpha/r', 'rslora'], 'scaling', 'LoRA');
    this.A = new Parameter(init === 'book' ? drawAsTheBook(inDim, rank) : drawAsPeft(inDim, rank)); // [in, r]
    this.B = new Parameter(zeros(rank, outDim)); // [r, out]
    this.rank = rank;
    this.alpha = alpha;
    this.dropout = dropout;
    this.rankStabilised = scaling === 'rslora';
  }

  /** alpha / r, or alpha / √r. */
  get scaling(): number {
    return this.alpha / (this.rankStabilised ? Math.sqrt(this.rank) : this.rank);
  }

  /** x [..., in] → [..., out]. */
  forward(x: Tensor): Tensor {
    const down = matmul(F.dropout(x, this.dropout, this.training), this.A); // [..., in] → [..., r]
    const up = matmul(down, this.B); // [..., r] → [..., out]
    return this.scaling === 1 ? up : up.mul(this.scaling);
  }

  /** ΔW in the layout of a Linear's weight: scaling · (A B)ᵀ [out, in]. */
  delta(): Tensor {
    return matmul(this.A, this.B).t().mul(this.scaling);
  }
}

/** kaimingUniform takes A's second axis for the fan-in, which in [in, r] is the rank: ±1/√r. */
function drawAsTheBook(inDim: number, rank: number): Tensor {
  return kaimingUniform(zeros(inDim, rank), Math.sqrt(5));
}

/** PEFT and the paper's own code store A as [r, in], so the fan-in is `in`: ±1/√in, much smaller. */
function drawAsPeft(inDim: number, rank: number): Tensor {
  return kaimingUniform(zeros(rank, inDim), Math.sqrt(5)).t(); // [r, in] → [in, r]
}

/** @throws UserError unless an adapter can be called that: a name is a text, and not empty */
export function checkName(name: string): void {
  if (typeof name === 'string' && name !== '') return;
  throw new UserError(`LoRA: an adapter's name is a text such as 'default', not ${inWords(name)}`);
}

/**
 * A Linear and a LoRA update side by side: y = x Wᵀ + b + scaling · x A B.
 *
 * It can hold several updates by name; one of them, or none, is active: it is what `forward` adds, what trains, and
 * what the state holds. Switching touches no number.
 */
export class LinearWithLoRA extends Module {
  static override readonly stateNames: Readonly<Record<string, string>> = { active: 'lora' };

  /** What is wrapped: W [out, in] and b [out]. */
  linear: Linear;
  /** The update in use; null leaves W alone. */
  active: LoRALayer | null;
  /** All updates. Not a list of modules: inactive ones are neither trained nor saved with the model. */
  readonly #adapters = new Map<string, LoRALayer>();
  #merged = false;
  /** W as it was, if a merge must not change it: see `merge`. */
  #shared: Parameter | null = null;

  constructor(
    linear: Linear,
    rank: number,
    alpha: number,
    options: LoRALayerOptions = {},
    name = 'default',
    ...more: []
  ) {
    super();
    noMore('LinearWithLoRA', 5, more);
    if (!(linear instanceof Linear))
      throw new UserError(`LinearWithLoRA: a Linear is expected, not ${inWords(linear)}`);
    checkName(name);
    this.linear = linear;
    this.active = new LoRALayer(linear.inFeatures, linear.outFeatures, rank, alpha, options);
    this.#adapters.set(name, this.active);
  }

  /** Freezes the Linear and wraps it. */
  static fromLinear(
    linear: Linear,
    options: { rank: number; alpha: number } & LoRALayerOptions,
    ...more: []
  ): LinearWithLoRA {
    noMore('LinearWithLoRA.fromLinear', 2, more);
    checkOptions('LinearWithLoRA.fromLinear', options, ['rank', 'alpha', ...LORA_LAYER_OPTIONS]);
    const { rank, alpha, ...layer } = options;
    const wrapped = new LinearWithLoRA(linear, rank, alpha, layer);
    linear.requiresGrad_(false);
    return wrapped;
  }

  /** A Linear with an update that exists already: nothing is drawn, and nothing is frozen. */
  static around(linear: Linear, name: string, lora: LoRALayer): LinearWithLoRA {
    const wrapped = skip(() => new LinearWithLoRA(linear, 1, 1, {}, name));
    wrapped.addAdapter(name, lora);
    return wrapped.train(linear.training);
  }

  /** The update in use. @throws UserError if there is none */
  get lora(): LoRALayer {
    if (!this.active) throw new UserError('LoRA: no adapter is active here; choose one with nn.setAdapter');
    return this.active;
  }
  /** W [out, in] of the Linear, without the update, unless it is merged. */
  get weight(): Parameter {
    return this.linear.weight;
  }
  /** b [out] of the Linear, or null. */
  get bias(): Parameter | null {
    return this.linear.bias;
  }
  /** The length of x's last axis. */
  get inFeatures(): number {
    return this.linear.inFeatures;
  }
  /** The length of y's last axis. */
  get outFeatures(): number {
    return this.linear.outFeatures;
  }

  /** Is the update added into W at present? */
  get merged(): boolean {
    return this.#merged;
  }
  /** The updates by name. */
  get adapters(): ReadonlyMap<string, LoRALayer> {
    return this.#adapters;
  }

  /** x [..., in] → [..., out]. */
  forward(x: Tensor): Tensor {
    const { linear, active } = this;
    if (this.#merged || !active) return linear.forward(x);
    const drops = active.training && active.dropout > 0;
    if (drops || x.dtype !== 'float32' || x.shape.at(-1) !== this.inFeatures)
      return linear.forward(x).add(active.forward(x));
    // The same, with the update added up where x Wᵀ + b lies.
    return linearWithLowRank(x, linear.weight, linear.bias, active.A, active.B, active.scaling);
  }

  /** Adds an update, or puts it in the place of one of the same name; `setAdapter` makes it the active one. */
  addAdapter(name: string, lora: LoRALayer): void {
    this.refuseMerged('add an adapter');
    if (this.active && this.active === this.#adapters.get(name)) this.active = lora;
    lora.train(this.training);
    this.#adapters.set(name, lora);
  }

  /** Forgets the update of that name, if there is one. */
  removeAdapter(name: string): void {
    this.refuseMerged('remove an adapter');
    if (this.active === this.#adapters.get(name)) this.active = null;
    this.#adapters.delete(name);
  }

  /** Makes the update of that name the active one; a name that it does not have, or null, leaves W alone. */
  setAdapter(name: string | null): void {
    this.refuseMerged('change the adapter');
    this.active = (name === null ? undefined : this.#adapters.get(name)) ?? null;
    if (this.active?.training !== this.training) this.active?.train(this.training);
  }

  /**
   * Adds ΔW to W, so that the update costs nothing more. Doing it twice is the same as doing it once.
   * @param shared W belongs to another layer too (a head tied to an embedding): it gets a changed copy here
   */
  merge(shared = false): void {
    if (this.#merged || !this.active) return;
    const { weight } = this.linear;
    if (shared) {
      this.#shared = weight;
      this.linear.weight = new Parameter(weight.detach().clone(), weight.requiresGrad);
    }
    this.#addDelta(1);
    this.#merged = true;
  }

  /** Takes ΔW out of W again (exact except for the rounding of float32). */
  unmerge(): void {
    if (!this.#merged) return;
    if (this.#shared) this.linear.weight = this.#shared;
    else this.#addDelta(-1);
    this.#shared = null;
    this.#merged = false;
  }

  /** A plain Linear that answers the same: W + ΔW, in memory of its own. */
  toLinear(): Linear {
    return noGrad(() => {
      const { weight, bias } = this.linear;
      const apart = this.active && !this.#merged;
      const updated = apart ? weight.add(this.lora.delta()) : weight.clone(); // [out, in]
      return Linear.of(updated.detach(), bias?.detach().clone() ?? null);
    });
  }

  /** A merged weight and its A and B would be merged a second time by whoever loads them. */
  protected override checkState(): void {
    this.refuseMerged('save or load the state');
  }

  /** @throws UserError if the update is merged into W at present: `what` cannot be done then */
  refuseMerged(what: string): void {
    if (!this.#merged) return;
    throw new UserError(
      `LoRA: cannot ${what} while the update is merged into its weight; call nn.unmergeLoRA(model) first`,
    );
  }

  #addDelta(sign: 1 | -1): void {
    noGrad(() => this.linear.weight.addInPlace(this.lora.delta().mul(sign)));
  }
}
