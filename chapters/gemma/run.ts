import { isProgram, runChapter } from '../common/cli.ts';
import type { Notebook } from '../common/notebook.ts';
import { countingWith, inGroup, type OptionSpecs, type OptionValues } from '../common/options.ts';
import { showTokens } from '../llama/model/06-tokeniser.ts';
import { loadGemma, showContinuation, showSmallModel } from './06-going-on.ts';
import { showNorms } from './model/01-norms.ts';
import { showGates } from './model/02-feed-forward.ts';
import { showWindows } from './model/03-sliding-window.ts';
import { showSizes } from './model/04-gemma-model.ts';
import { GEMMA3_270M } from './model/config.ts';

export const OPTIONS = {
  ...inGroup('Model', {
    weights: {
      type: 'path',
      access: 'read',
      help: "a GGUF file, or a folder in the hub's layout (default: a small model of random numbers)",
      placeholder: 'PATH',
    },
  }),
  ...inGroup(
    'Answers',
    countingWith([{ weights: 'given' }], {
      prompt: {
        type: 'string',
        help: 'the text that it goes on with',
        default: 'Every effort moves you',
        placeholder: 'TEXT',
      },
      maxNewTokens: { type: 'number', help: 'most tokens to add', default: 20, min: 1, integer: true },
    }),
  ),
} as const satisfies OptionSpecs;

/** From Llama to Gemma 3: the parts that differ, the model, and a text that it goes on with. */
export async function run(nb: Notebook, options: OptionValues<typeof OPTIONS>): Promise<void> {
  const { weights } = options;
  // A file that is not a Gemma's is refused before anything is printed.
  const loaded = weights === undefined ? undefined : await loadGemma(weights);

  nb.section('1 Norms that learn how far from 1 they are');
  showNorms(nb);

  nb.section('2 GELU in the gate');
  showGates(nb, GEMMA3_270M);

  nb.section('3 Sliding windows');
  showWindows(nb, GEMMA3_270M);

  nb.section('4 The model');
  showSizes(nb);

  if (!loaded) {
    nb.section('5 A small one');
    showSmallModel(nb);
    return;
  }
  nb.section('5 The tokeniser of a real one');
  showTokens(nb, loaded.tokeniser, ['Every effort moves you', 'in 2024: x**2', 'a    b', 'ᚠ']);

  nb.section('6 It goes on with a text');
  showContinuation(nb, loaded, options);
}

if (isProgram(import.meta.url)) {
  await runChapter({
    chapter: 'gemma',
    summary: 'From Llama to Gemma 3: what changed, and a real pretrained model that goes on with a text.',
    options: OPTIONS,
    examples: ['', '--weights gemma-3-270m.gguf'],
    run,
  });
}
