import { join } from 'node:path';
import { io, manualSeed } from '../../lib/index.ts';
import { GPT_CONFIG_124M, type GPTConfig, GPTModel } from '../chapter04/index.ts';
import { isProgram, runChapter } from '../common/cli.ts';
import type { Notebook } from '../common/notebook.ts';
import { inGroup } from '../common/options.ts';
import { onData } from '../common/plot.ts';
import { checkRun, fingerprint, type SavingOptions, TRAINING_OPTIONS } from '../common/training.ts';
import { obtain, STORY, TEXT_OPTION } from '../datasets/index.ts';
import { isNewerModel } from '../models/hub-models.ts';
import {
  makeTextLoaders,
  showCrossEntropy,
  showTextLoaders,
  showUntrainedLosses,
  showUntrainedText,
} from './01-text-and-loss.ts';
import { plotLosses, pretrain } from './02-training.ts';
import { greedyText, sampledText, showTemperature, showTopK } from './03-decoding.ts';
import { showSaving } from './04-saving.ts';
import { showOpenAIModel, showSettings } from './05-openai-weights.ts';
import { showNewerModel } from './06-newer-models.ts';
import { type GptName, MODEL_NAMES, type ModelName } from './models.ts';
import { type NewerBase, obtainBase } from './obtain-base.ts';
import { obtainModel, saysItsSizes } from './obtain-model.ts';

export const OPTIONS = {
  ...inGroup('Data', TEXT_OPTION),
  ...inGroup('Training', {
    slow: {
      type: 'boolean',
      help: "pretrain the book's 124M model (a quarter of an hour) instead of a small one",
    },
    ...TRAINING_OPTIONS,
  }),
  ...inGroup('Model', {
    model: {
      type: 'choice',
      help: "which of OpenAI's models --weights holds; or a newer one, from the hub or --weights",
      choices: MODEL_NAMES,
      default: 'gpt2-small',
    },
    weights: {
      type: 'path',
      access: 'read',
      help: "OpenAI's weights as a safetensors file; or a folder of the hub or a GGUF file of any family",
      placeholder: 'PATH',
    },
  }),
  ...inGroup('Output', {
    out: {
      type: 'path',
      access: 'writeFolder',
      help: 'folder for the plot and the saved models',
      default: 'runs',
      placeholder: 'DIR',
    },
  }),
} as const;

export interface Options extends SavingOptions {
  text?: string;
  slow: boolean;
  model: ModelName;
  weights?: string;
  out: string;
}

/** The book's model, with a context a laptop can train. */
const CONFIG: GPTConfig = { ...GPT_CONFIG_124M, contextLength: 256 };
const BOOK_PRETRAINING = { config: CONFIG, lr: 4e-4, numEpochs: 10 };
/** Learns from the same batches in half a minute; so small a model needs larger steps. */
const SHORT_PRETRAINING = {
  config: { ...CONFIG, embDim: 64, nHeads: 4, nLayers: 2 },
  lr: 4e-3,
  numEpochs: 4,
  sampleFrom: 5, // it writes one sample, below, where it is said why it is no better
};

/** Chapter 5: losses, pretraining, decoding, saving, OpenAI's weights. */
export async function run(nb: Notebook, options: Options): Promise<void> {
  const { slow } = options;
  const folder = join(options.out, 'chapter05');
  // They are needed later: what is no file of weights, or too short a text, is said before the work.
  const newer = await obtainNewer(options, (line) => nb.note(line));
  const story = await obtain(STORY, { path: options.text, print: (line) => nb.note(line) });
  const stepsPerEpoch = makeTextLoaders(story.data, CONFIG.contextLength).train.length;
  const pretraining = slow ? BOOK_PRETRAINING : SHORT_PRETRAINING;
  const saving = {
    folder,
    // OpenAI's weights come after the training, and change nothing in it.
    options: { ...options, model: undefined, weights: undefined },
    facts: { 'the text': fingerprint(story.data) },
  };
  await checkRun({
    ...saving,
    totalSteps: pretraining.numEpochs * stepsPerEpoch,
    print: (line) => nb.note(line),
  });

  nb.section('5.1.1 Using GPT to generate text');
  manualSeed(123);
  const untrained = new GPTModel(CONFIG).eval();
  showUntrainedText(nb, untrained);

  nb.section('5.1.2 Calculating the text generation loss: cross-entropy and perplexity');
  showCrossEntropy(nb, untrained);

  nb.section('5.1.3 Calculating the training and validation set losses');
  nb.figure('text', { source: story.source, sha256: io.sha256(new TextEncoder().encode(story.data)) });
  const loaders = showTextLoaders(nb, story.data, CONFIG.contextLength);
  showUntrainedLosses(nb, untrained, loaders);

  nb.section('5.2 Training an LLM');
  // A small model's figures are not the book's, so they are shown but not filed under the book's cells.
  const show = (cell: number) => (line: string) => (slow ? nb.print(cell, line) : nb.note(line));
  if (!slow) {
    nb.note(
      "(4 passes with a small model, 2 layers and 64 dimensions; --slow: the book's 10, with 12 and 768)",
    );
  }
  const trained = await pretrain(nb, loaders, {
    ...pretraining,
    print: show(77),
    ...saving,
  });
  const plot = join(folder, 'losses.svg');
  await plotLosses(plot, trained.history, {
    title: 'Pretraining on a short story',
    subtitle: onData(story.source, 123),
    epochs: pretraining.numEpochs,
    stepsPerEpoch: loaders.train.length,
  });
  nb.result(`Plot: ${plot}`);

  nb.section('5.3 Decoding strategies to control randomness');
  if (!slow) {
    nb.note(
      '(after four passes over so short a text a small model knows which words are frequent, and little else:',
    );
    nb.note('expect commas and "the", not sentences; with --slow it knows the story by heart)');
  }
  show(86)(greedyText(trained.model));
  nb.section('5.3.1 Temperature scaling');
  showTemperature(nb);
  nb.section('5.3.2 Top-k sampling');
  showTopK(nb);
  nb.section('5.3.3 Modifying the text generation function');
  show(115)(sampledText(trained.model));

  nb.section('5.4 Loading and saving model weights');
  await showSaving(nb, trained.model, folder);

  nb.section('5.5 Loading pretrained weights from OpenAI');
  if (newer) return showNewerModel(nb, newer, story.data);
  const { weights } = options;
  const model = options.model as GptName; // else it would be a newer one
  showSettings(nb, model);
  if (weights)
    showOpenAIModel(nb, (await obtainModel({ model, weights, print: (line) => nb.note(line) })).eval());
  else nb.note("Cells 136 and 145 need OpenAI's weights: give them with --weights PATH");
}

/** The model of section 5.5 if it is a newer one. @throws UserError if what is given is no file of weights, or not of that model */
async function obtainNewer(
  { model, weights }: Options,
  print: (line: string) => void,
): Promise<NewerBase | undefined> {
  if (isNewerModel(model) || (weights !== undefined && saysItsSizes(weights))) {
    const base = await obtainBase({ model, weights, print });
    return base.isNewer ? base : undefined;
  }
  if (weights !== undefined) io.withTensors(weights, `the weights of ${model}`, () => {});
  return undefined;
}

if (isProgram(import.meta.url)) {
  await runChapter({
    chapter: 'chapter05',
    summary:
      "Pretraining on a short story: losses, training, temperature and top-k, saving, OpenAI's weights.",
    options: OPTIONS,
    run,
  });
}
