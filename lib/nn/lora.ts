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
 *                        │   W   [in × out]  │           ╲___________╱      r ≪ in, out
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

import { noGrad } from '../tensor/autograd.ts';
import { zeros } from '../tensor/create.ts';
import { matmul } from '../tensor/ops/matmul.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { kaimingUniform } from './init.ts';
import { Linear } from './layers.ts';
import { Module } from './module.ts';
import { Parameter } from './parameter.ts';

export interface LoRAOptions {
  /** r: how many directions ΔW may have. */
  rank: number;
  /** The update is scaled by alpha / rank, so that changing the rank leaves its size about the same. */
  alpha: number;
}

function requirePositive(rank: number, alpha: number): void {
  if (!(Number.isInteger(rank) && rank > 0))
    throw new Error(`LoRA: a rank of ${rank} is not a positive integer`);
  if (!Number.isFinite(alpha)) throw new Error(`LoRA: an alpha of ${alpha} is not a number`);
}

/** The update alone: x [..., in] → (alpha / rank) · x A B [..., out]. */
export class LoRALayer extends Module {
  A: Parameter;
  B: Parameter;
  readonly rank: number;
  readonly alpha: number;

  constructor(inDim: number, outDim: number, rank: number, alpha: number) {
    super();
    requirePositive(rank, alpha);
    // The book's initialisation. kaimingUniform takes A's second axis for the fan-in, which here is the rank:
    // ±1/√rank. PEFT and the paper's own code store A as [rank, in] and so draw from ±1/√in, much smaller.
    this.A = new Parameter(kaimingUniform(zeros(inDim, rank), Math.sqrt(5)));
    this.B = new Parameter(zeros(rank, outDim));
    this.rank = rank;
    this.alpha = alpha;
  }

  get scaling(): number {
    return this.alpha / this.rank;
  }

  forward(x: Tensor): Tensor {
    const down = matmul(x, this.A); // [..., in] → [..., rank]
    const up = matmul(down, this.B); // [..., rank] → [..., out]
    return this.scaling === 1 ? up : up.mul(this.scaling);
  }

  /** ΔW in the layout of a Linear's weight: (alpha / rank) · (A B)ᵀ [out, in]. */
  delta(): Tensor {
    return matmul(this.A, this.B).t().mul(this.scaling);
  }
}

/** A Linear and its LoRA update side by side: y = x Wᵀ + b + (alpha / rank) · x A B. */
export class LinearWithLoRA extends Module {
  linear: Linear;
  lora: LoRALayer;
  #merged = false;

  constructor(linear: Linear, rank: number, alpha: number) {
    super();
    this.linear = linear;
    this.lora = new LoRALayer(linear.inFeatures, linear.outFeatures, rank, alpha);
  }

  /** Freezes the Linear and wraps it. */
  static fromLinear(linear: Linear, options: LoRAOptions): LinearWithLoRA {
    linear.requiresGrad_(false);
    return new LinearWithLoRA(linear, options.rank, options.alpha);
  }

  get merged(): boolean {
    return this.#merged;
  }

  forward(x: Tensor): Tensor {
    const y = this.linear.forward(x); // [..., in] → [..., out]
    return this.#merged ? y : y.add(this.lora.forward(x));
  }

  /** Adds ΔW into W, so that the update costs nothing more. Doing it twice is doing it once. */
  merge(): void {
    if (!this.#merged) this.addDelta(1);
    this.#merged = true;
  }

  /** Takes ΔW out of W again (exact but for the rounding of float32). */
  unmerge(): void {
    if (this.#merged) this.addDelta(-1);
    this.#merged = false;
  }

  /** A plain Linear that answers the same: W + ΔW, in memory of its own. */
  toLinear(): Linear {
    return noGrad(() => {
      const { weight, bias } = this.linear;
      const updated = this.#merged ? weight.detach().clone() : weight.add(this.lora.delta());
      return Linear.of(updated.detach(), bias?.detach().clone() ?? null);
    });
  }

  private addDelta(sign: 1 | -1): void {
    noGrad(() => this.linear.weight.addInPlace(this.lora.delta().mul(sign)));
  }
}

/** Every LinearWithLoRA below a module. */
function loraLayers(model: Module): LinearWithLoRA[] {
  return Array.from(model.namedModules(), ([, module]) => module).filter((m) => m instanceof LinearWithLoRA);
}

/**
 * Wraps every Linear below the model, in place, in the order of its modules (in which A is drawn). The weights
 * that were there are not frozen: do that first, with `model.requiresGrad_(false)`, as the book does.
 * What is wrapped already is left as it is.
 */
export function replaceLinearWithLoRA(model: Module, options: LoRAOptions): void {
  if (model instanceof LinearWithLoRA) return;
  for (const [name, child] of [...model.namedChildren()]) {
    if (child instanceof Linear) {
      model.replaceChild(name, new LinearWithLoRA(child, options.rank, options.alpha));
    } else replaceLinearWithLoRA(child, options);
  }
}

/** Merges every LoRA update below the model into its weight. */
export function mergeLoRA(model: Module): void {
  for (const layer of loraLayers(model)) layer.merge();
}

/** Takes every merged update out again. */
export function unmergeLoRA(model: Module): void {
  for (const layer of loraLayers(model)) layer.unmerge();
}
