import { join } from 'node:path';
import { manualSeed } from '../../lib/index.ts';
import { FAIRNESS_OPTIONS, SPAM_OPTIONS } from '../chapter06/index.ts';
import { isProgram, runChapter } from '../common/cli.ts';
import type { Notebook } from '../common/notebook.ts';
import { countingWith, inGroup, type OptionSpecs, type OptionValues } from '../common/options.ts';
import { TRAINING_OPTIONS } from '../common/training.ts';
import { NEWER_MODELS } from '../models/index.ts';
import { obtainLlama, showLayouts } from './07-gguf.ts';
import { chat } from './09-chat.ts';
import { showFineTuned } from './10-fine-tuning.ts';
import { answerOnce, converse } from './conversation.ts';
import { showNorms } from './model/01-rms-norm.ts';
import { showRotations } from './model/02-rope.ts';
import { showFeedForward } from './model/03-swiglu.ts';
import { showSharing } from './model/04-grouped-query-attention.ts';
import { showSizes } from './model/05-llama-model.ts';
import { showTokens } from './model/06-tokeniser.ts';
import { SMOLLM2_135M } from './model/config.ts';

/** Of the training; below it, what every way of calling the chapter looks at. */
const { data, batchSize, rank, alpha } = SPAM_OPTIONS;
const FINE_TUNING_OPTIONS = countingWith([{ finetune: [true] }], {
  data,
  ...inGroup('Training', {
    epochs: { type: 'number', help: 'passes over the training messages', default: 2, min: 1, integer: true },
    ...{ batchSize, rank, alpha },
    lr: { type: 'number', help: 'highest learning rate', default: 5e-4, above: 0 },
    ...FAIRNESS_OPTIONS,
    ...TRAINING_OPTIONS,
  }),
});

export const OPTIONS = {
  ...inGroup('Model', {
    model: {
      type: 'choice',
      choices: NEWER_MODELS,
      help: 'one from the hub, under its own licence (chapters/models/README.md; default: smollm2-135m)',
    },
    weights: {
      type: 'path',
      access: 'read',
      help: "a GGUF file, or a folder in the hub's layout, in place of the hub's",
      placeholder: 'PATH',
    },
    float32: { type: 'boolean', help: "decode a file's weights to float32 in place of keeping their blocks" },
  }),
  ...inGroup('Answers', {
    prompt: { type: 'string', help: 'answer this, and nothing else', placeholder: 'TEXT' },
    chat: { type: 'boolean', help: 'a conversation on the terminal', excludes: ['prompt'] },
    maxNewTokens: {
      type: 'number',
      help: 'tokens of an answer at most',
      default: 256,
      counts: [{ finetune: [false] }],
      min: 1,
      integer: true,
    },
    temperature: {
      type: 'number',
      help: '0 takes the most likely token, above it draws',
      default: 0,
      min: 0,
      counts: [{ prompt: 'given' }, { chat: [true] }],
    },
    topK: {
      type: 'number',
      help: 'draw only among this many tokens',
      min: 1,
      integer: true,
      counts: [{ temperature: { above: 0 } }],
    },
  }),
  ...inGroup('Training', {
    finetune: {
      type: 'boolean',
      help: "chapter 6's classifier of messages: LoRA beside the model's blocks (QLoRA)",
      excludes: ['prompt', 'chat'],
    },
    seed: {
      type: 'number',
      help: 'of what is drawn, and of the split',
      default: 42,
      min: 0,
      integer: true,
      counts: [{ finetune: [true] }, { temperature: { above: 0 } }],
    },
  }),
  ...FINE_TUNING_OPTIONS,
  ...inGroup('Output', {
    out: {
      type: 'path',
      access: 'writeFolder',
      help: 'folder for the plot and the adapter',
      counts: [{ finetune: [true] }, { prompt: [undefined], chat: [false] }],
      default: 'runs',
      placeholder: 'DIR',
    },
  }),
} as const satisfies OptionSpecs;

/** From GPT to Llama: the parts that differ, the model, and an answer. */
export async function run(nb: Notebook, options: OptionValues<typeof OPTIONS>): Promise<void> {
  const { weights, prompt } = options;
  manualSeed(options.seed);
  const read = async () => {
    const start = performance.now();
    const loaded = await obtainLlama(weights, (line) => nb.note(line), {
      ...{ model: options.model, quantised: !options.float32 },
    });
    if (weights !== undefined) nb.note(`Weights: ${weights}`);
    return { loaded, seconds: (performance.now() - start) / 1000 };
  };
  if (prompt !== undefined || options.chat || options.finetune) {
    const { loaded } = await read();
    if (options.finetune) return showFineTuned(nb, loaded, options);
    return prompt !== undefined ? answerOnce(loaded, prompt, options) : converse(loaded, options);
  }
  // A file that is not a Llama's is refused before anything is printed. A download can wait until it is needed.
  const given = weights === undefined ? undefined : await read();

  nb.section('1 RMS norm beside layer norm');
  showNorms(nb);

  nb.section('2 Rotations for positions');
  await showRotations(nb, join(options.out, 'llama', 'rotations.svg'));

  nb.section('3 SwiGLU beside GELU');
  showFeedForward(nb, SMOLLM2_135M);

  nb.section('4 Grouped-query attention');
  showSharing(nb, SMOLLM2_135M);

  nb.section('5 The model');
  showSizes(nb, SMOLLM2_135M);

  nb.section('6 A real one, from its file');
  const { loaded, seconds } = given ?? (await read());
  nb.note(`Read in ${seconds.toFixed(1)} s`);
  showLayouts(nb, loaded.model);

  nb.section('7 Its tokeniser');
  showTokens(nb, loaded.tokeniser);

  nb.section('8 It answers');
  const question = 'What is the capital of France?';
  nb.note(`> ${question}`);
  nb.note(await chat(loaded, question, { maxNewTokens: options.maxNewTokens }));
}

if (isProgram(import.meta.url)) {
  await runChapter({
    chapter: 'llama',
    summary: 'From GPT-2 to Llama: what changed, and a real pretrained model that answers.',
    options: OPTIONS,
    printsResult: ({ prompt }) => prompt !== undefined,
    examples: [
      '--prompt "What is the capital of France?"',
      '--chat',
      '--finetune --data stand-in --epochs 1',
    ],
    run,
  });
}
