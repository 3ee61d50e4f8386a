import { nn, rand, randn, type Tensor, zeros } from '../../lib/index.ts';
import type { Notebook } from '../common/notebook.ts';

/**
 * Fine-tuning moves a weight from W to W + ΔW. LoRA leaves W alone and learns ΔW as a product of two thin matrices:
 *
 *        x [.., in] ───────────┬──────────────────────┐
 *                              │                      │
 *                     ┌────────┴────────┐      ┌──────┴──────┐
 *                     │                 │       ╲ A [in, r] ╱
 *                     │  W  [in, out]   │        ╲_________╱       r ≪ in, out
 *                     │     frozen      │        ╱         ╲
 *                     │                 │       ╱ B [r, out]╲      zero at first
 *                     └────────┬────────┘      └──────┬──────┘
 *                              │                      │ · alpha / r
 *                              └────────── + ─────────┘
 *                                          │
 *                                     y [.., out]
 *
 *        x (W + AB)  =  x W + x A B
 *
 * On the left ΔW = AB is made and added to W: that is merging (section 5). On the right it is never made: x goes
 * through A, where r numbers are left of it, then through B. Training takes the right side.
 *
 * W is [in, out] everywhere in this appendix. A Linear keeps it as PyTorch does, turned round: `linear.weight` is
 * Wᵀ [out, in].
 */

/**
 * The right side's second term: x [..., in] → (alpha / r) · x A B [..., out]. `nn.LoRALayer` is this with more ways to
 * draw A; a test compares the two.
 */
export class LoRALayer extends nn.Module {
  A: nn.Parameter;
  B: nn.Parameter;
  readonly scaling: number;

  constructor(inDim: number, outDim: number, rank: number, alpha: number) {
    super();
    this.A = new nn.Parameter(nn.init.kaimingUniform(zeros(inDim, rank), Math.sqrt(5))); // [in, r]
    this.B = new nn.Parameter(zeros(rank, outDim)); // [r, out]
    this.scaling = alpha / rank; // so that another rank leaves the size of the update about the same
  }

  forward(x: Tensor): Tensor {
    const down = x.matmul(this.A); // [..., in] → [..., r]
    const up = down.matmul(this.B); // [..., r] → [..., out]
    return up.mul(this.scaling);
  }
}

/** Both terms: y = x W + bias + (alpha / r) · x A B. */
export class LinearWithLoRA extends nn.Module {
  linear: nn.Linear;
  lora: LoRALayer;

  constructor(linear: nn.Linear, rank: number, alpha: number) {
    super();
    this.linear = linear;
    this.lora = new LoRALayer(linear.inFeatures, linear.outFeatures, rank, alpha);
  }

  /** x [..., in] → [..., out]. */
  forward(x: Tensor): Tensor {
    return this.linear.forward(x).add(this.lora.forward(x));
  }
}

/** How many numbers a matrix of GPT-2's size has, its update in full and at low rank; and that both sides are equal. */
export function showWhatLoRAIs(nb: Notebook, { rank, alpha }: { rank: number; alpha: number }): void {
  const size = 768;
  const linear = new nn.Linear(size, size, { bias: false });
  const wrapped = new LinearWithLoRA(linear, rank, alpha);
  const { A, B, scaling } = wrapped.lora; // [768, r], [r, 768]
  const [full, low] = [size * size, A.size + B.size];
  const shape = (matrix: Tensor) => `[${matrix.shape.join(', ')}]`;
  nb.note(`W      ${shape(linear.weight)}              ${full.toLocaleString('en')} numbers, frozen`);
  nb.note(`A, B   ${shape(A)}, ${shape(B)}    ${low.toLocaleString('en')} numbers, trained`);
  nb.note(`that is ${((100 * low) / full).toFixed(1)}% of W; AB is scaled by alpha / r = ${scaling}`);

  const x = rand(1, size); // [1, 768]
  const largest = (a: Tensor, b: Tensor) => a.sub(b).abs().amax().item();
  nb.note(
    `B is zero at first: wrapping changes no output (${largest(wrapped.forward(x), linear.forward(x))})`,
  );

  const trained = randn(rank, size).mul(0.01); // [r, 768], as if something had been learnt
  const W = linear.weight.t(); // [768, 768]
  const left = x.matmul(W.add(A.matmul(trained))); // x (W + AB)
  const right = x.matmul(W).add(x.matmul(A).matmul(trained)); // x W + x A B
  nb.note(`x (W + AB) and x W + x A B differ by ${largest(left, right).toExponential(0)}: rounding`);
}
