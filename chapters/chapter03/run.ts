import { stack } from '../../lib/index.ts';
import { isProgram, runChapter } from '../common/cli.ts';
import type { Notebook } from '../common/notebook.ts';
import { inputs, showAllTokens, showOneToken } from './03-simple-attention.ts';
import { showClasses, showStepByStep } from './04-self-attention.ts';
import { showCausalAttention, showDropout, showMask } from './05-causal-attention.ts';
import { showMultiHeadAttention, showWrapper } from './06-multi-head-attention.ts';

/** Chapter 3 from the dot product to many heads. */
export function run(nb: Notebook): void {
  nb.section('3.3.1 A simple self-attention mechanism without trainable weights');
  showOneToken(nb);

  nb.section('3.3.2 Computing attention weights for all input tokens');
  showAllTokens(nb);

  nb.section('3.4.1 Computing the attention weights step by step');
  showStepByStep(nb);

  nb.section('3.4.2 Implementing a compact SelfAttention class');
  showClasses(nb);

  nb.section('3.5.1 Applying a causal attention mask');
  const weights = showMask(nb);

  nb.section('3.5.2 Masking additional attention weights with dropout');
  showDropout(nb, weights);

  nb.section('3.5.3 Implementing a compact causal self-attention class');
  const batch = stack([inputs, inputs]); // [2, 6, 3]
  showCausalAttention(nb, batch);

  nb.section('3.6.1 Stacking multiple single-head attention layers');
  showWrapper(nb, batch);

  nb.section('3.6.2 Implementing multi-head attention with weight splits');
  showMultiHeadAttention(nb, batch);
}

if (isProgram(import.meta.url)) {
  await runChapter({
    chapter: 'chapter03',
    summary: 'Attention, from the dot product to many heads.',
    options: {},
    run,
  });
}
