import { nn, rand } from '../../lib/index.ts';
import type { Notebook } from '../common/notebook.ts';

/**
 * W + ΔW, with ΔW ≈ A B. A Linear of GPT-2's size, its update in full and at low rank, and why wrapping it changes
 * nothing at first.
 */
export function showLowRankUpdate(nb: Notebook, options: nn.LoRAOptions): void {
  const size = 768;
  const linear = new nn.Linear(size, size); // W [768, 768]
  const wrapped = nn.LinearWithLoRA.fromLinear(linear, options);
  const { A, B, scaling } = wrapped.lora; // A [768, r], B [r, 768]
  const full = size * size;
  const low = A.size + B.size;
  nb.note(`W            [${linear.weight.shape.join(' × ')}]  ${full.toLocaleString('en')} numbers, frozen`);
  nb.note(
    `A · B        [${A.shape.join(' × ')}] · [${B.shape.join(' × ')}]  ${low.toLocaleString('en')} numbers, trained`,
  );
  nb.note(`that is      ${((100 * low) / full).toFixed(1)} % of W, scaled by alpha / rank = ${scaling}`);

  const x = rand(1, size);
  const difference = wrapped.forward(x).sub(linear.forward(x)).abs().amax().item();
  nb.note(`B is zero at first: the largest change of an output is ${difference}`);
}
