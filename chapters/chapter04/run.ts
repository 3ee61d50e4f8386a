import { join } from 'node:path';
import { isProgram, runChapter } from '../common/cli.ts';
import type { Notebook } from '../common/notebook.ts';
import { exampleBatch, showOutline } from './01-outline.ts';
import { showLayerNorm } from './02-layer-norm.ts';
import { showFeedForward } from './03-feed-forward.ts';
import { showShortcuts } from './04-shortcuts.ts';
import { showBlock } from './05-transformer-block.ts';
import { showModel } from './06-gpt-model.ts';
import { showGeneration } from './07-generating-text.ts';
import { showCache } from './08-key-value-cache.ts';
import { GPT_CONFIG_124M } from './config.ts';

export const OPTIONS = {
  out: {
    type: 'path',
    access: 'writeFolder',
    help: 'folder for the plot',
    default: 'runs',
    placeholder: 'DIR',
  },
} as const;

/** Chapter 4 from the outline to the first generated words. */
export async function run(nb: Notebook, { out }: { out: string }): Promise<void> {
  nb.section('4.1 Coding an LLM architecture');
  showOutline(nb, GPT_CONFIG_124M);

  nb.section('4.2 Normalising activations with layer normalisation');
  showLayerNorm(nb);

  nb.section('4.3 A feed-forward network with GELU activations');
  await showFeedForward(nb, GPT_CONFIG_124M, join(out, 'chapter04', 'activations.svg'));

  nb.section('4.4 Adding shortcut connections');
  showShortcuts(nb);

  nb.section('4.5 Connecting attention and linear layers in a transformer block');
  showBlock(nb, GPT_CONFIG_124M);

  nb.section('4.6 Coding the GPT model');
  const model = showModel(nb, GPT_CONFIG_124M, exampleBatch());

  nb.section('4.7 Generating text');
  showGeneration(nb, model);

  nb.section('4.8 Keeping keys and values (not in the book)');
  showCache(nb, model);
}

if (isProgram(import.meta.url)) {
  await runChapter({
    chapter: 'chapter04',
    summary: 'A GPT from its parts: layer norm, GELU, shortcuts, transformer blocks, the model, generation.',
    options: OPTIONS,
    run,
  });
}
