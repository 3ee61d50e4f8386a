import { F, tensor } from '../../../lib/index.ts';
import type { Notebook } from '../../common/notebook.ts';
import { siluByHand } from '../../llama/model/03-swiglu.ts';
import type { GemmaConfig } from './config.ts';

/**
 * Gemma's feed-forward layer is Llama's, with chapter 4's GELU for SiLU: GeGLU (Shazeer 2020, https://arxiv.org/abs/2002.05202).
 * The class is Llama's too: `activation` says which of the two bends the gate.
 */
export function showGates(nb: Notebook, { embDim, hiddenDim }: GemmaConfig): void {
  const x = tensor([-4, -2, -1, 0, 1, 2, 4]);
  nb.note(`x     ${x}`);
  nb.note(`SiLU  ${siluByHand(x)}`);
  nb.note(`GELU  ${F.gelu(x, { approximate: 'tanh' })}`);
  const numbers = 3 * embDim * hiddenDim;
  nb.note(
    `${embDim} → ${hiddenDim} → ${embDim}, three matrices: ${numbers.toLocaleString('en')} numbers a block`,
  );
}
