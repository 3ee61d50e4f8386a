import { join } from 'node:path';
import { F, manualSeed, noGrad, type Tensor, tensor } from '../../lib/index.ts';
import { saveTensors } from '../../lib/io/checkpoint.ts';
import type { OptionSpec, OptionValues } from '../../lib/io/cli.ts';
import { END_OF_TEXT } from '../chapter02/index.ts';
import { countParameters, type GPTModel } from '../chapter04/index.ts';
import {
  calcLossLoader,
  type LossHistory,
  MODEL_NAMES,
  modelConfig,
  obtainModel,
  tokeniser,
} from '../chapter05/index.ts';
import { isProgram, runChapter } from '../common/cli.ts';
import { type Notebook, torchSize } from '../common/notebook.ts';
import { plotCurves } from '../common/plot.ts';
import { Progress } from '../common/progress.ts';
import { repr } from '../common/python.ts';
import { formatTable } from '../common/table.ts';
import { formatInput, formatResponse, type InstructionEntry } from './01-formatting.ts';
import { type InstructionParts, splitEntries } from './02-dataset.ts';
import { customCollate, customCollateDraft1, customCollateDraft2 } from './03-collate.ts';
import { type InstructionLoaders, makeInstructionLoaders } from './04-loaders.ts';
import {
  defaultLearningRate,
  fineTuneOnInstructions,
  type InstructionMethod,
  prepareModel,
} from './05-fine-tuning.ts';
import { type AnsweredEntry, respond, saveResponses } from './06-responses.ts';
import { obtainInstructions } from './data/obtain.ts';

export const OPTIONS = {
  data: {
    type: 'string',
    help: "a local copy of instruction-data.json, or 'own' (default: download, else our own instructions)",
    placeholder: 'PATH',
  },
  model: {
    type: 'choice',
    help: 'which model; the book has gpt2-medium',
    choices: MODEL_NAMES,
    default: 'mini',
  },
  weights: { type: 'string', help: 'a safetensors file with the weights', placeholder: 'PATH' },
  randomWeights: { type: 'boolean', help: 'start from random weights' },
  method: {
    type: 'choice',
    help: 'what to train: the whole model, LoRA, or one after the other',
    choices: ['full', 'lora', 'all'],
    default: 'full',
  },
  rank: { type: 'number', help: "LoRA's rank", default: 16, min: 1, integer: true },
  alpha: { type: 'number', help: "LoRA's alpha; the update is scaled by alpha / rank", default: 16 },
  lr: { type: 'number', help: "learning rate (default: each method's own)", min: 0 },
  epochs: {
    type: 'number',
    help: 'passes over the training part (default: 2 as the book; 1 for mini)',
    min: 0,
    integer: true,
  },
  batchSize: { type: 'number', help: 'examples per step', default: 8, min: 1, integer: true },
  evalFreq: {
    type: 'number',
    help: 'steps between two looks at the losses (default: 5 as the book; 25 for mini)',
    min: 1,
    integer: true,
  },
  maxNewTokens: {
    type: 'number',
    help: 'tokens of an answer at most (default: 256 as the book; 32 for mini)',
    min: 1,
    integer: true,
  },
  answers: {
    type: 'number',
    help: 'test examples to answer (default: all; 30 for mini)',
    min: 3,
    integer: true,
  },
  slow: {
    type: 'boolean',
    help: 'with mini as well: all test examples, looks and answer lengths as the book',
  },
  seed: { type: 'number', help: 'of everything random', default: 123, min: 0, integer: true },
  out: { type: 'string', help: 'folder for plots, answers and weights', default: 'runs', placeholder: 'DIR' },
} as const satisfies Record<string, OptionSpec>;

export type InstructionRunOptions = OptionValues<typeof OPTIONS>;

/** What mini does less of, so that a run takes a minute or two. */
function effort(options: InstructionRunOptions) {
  const short = options.model === 'mini' && !options.slow;
  return {
    epochs: options.epochs ?? (short ? 1 : 2),
    evalFreq: options.evalFreq ?? (short ? 25 : 5),
    maxNewTokens: options.maxNewTokens ?? (short ? 32 : 256),
    answers: options.answers ?? (short ? 30 : Number.POSITIVE_INFINITY),
  };
}

function showData(nb: Notebook, entries: readonly InstructionEntry[]): InstructionParts {
  nb.print(10, 'Number of entries:', entries.length);
  // The book's two examples; of a shorter file, the last entry.
  const [withInput, without] = [entries[50 % entries.length], entries[Math.min(999, entries.length - 1)]];
  nb.print(12, `Example entry:\n ${repr(withInput)}`);
  nb.print(14, `Another example entry:\n ${repr(without)}`);
  nb.print(20, formatInput(withInput) + formatResponse(withInput));
  nb.print(22, formatInput(without) + formatResponse(without));
  const parts = splitEntries(entries);
  nb.print(25, 'Training set length:', parts.train.length);
  nb.print(25, 'Validation set length:', parts.valid.length);
  nb.print(25, 'Test set length:', parts.test.length);
  return parts;
}

function showCollate(nb: Notebook): void {
  nb.print(32, `[${tokeniser.encode(END_OF_TEXT, { allowedSpecial: [END_OF_TEXT] })}]`);
  const examples = [
    [0, 1, 2, 3, 4],
    [5, 6],
    [7, 8, 9],
  ];
  nb.print(36, customCollateDraft1(examples)); // [3, 5]
  for (const part of customCollateDraft2(examples)) nb.print(41, part); // inputs, targets: [3, 5]
  for (const part of customCollate(examples)) nb.print(46, part);

  // What −100 does to the loss: the third row counts in the second loss, and not in the third.
  const two = tensor([
    [-1.0, 1.0],
    [-0.5, 1.5],
  ]);
  const three = tensor([
    [-1.0, 1.0],
    [-0.5, 1.5],
    [-0.5, 1.5],
  ]);
  const loss1 = F.crossEntropy(two, tensor([0, 1], { dtype: 'int32' }));
  const loss2 = F.crossEntropy(three, tensor([0, 1, 1], { dtype: 'int32' }));
  const loss3 = F.crossEntropy(three, tensor([0, 1, -100], { dtype: 'int32' }));
  nb.print(48, loss1);
  nb.print(50, loss2);
  nb.print(52, loss3);
  nb.print(52, 'loss_1 == loss_3:', loss1.eq(loss3));
}

function showLoaders(nb: Notebook, loaders: InstructionLoaders, seed: number): void {
  manualSeed(seed);
  nb.print(66, 'Train loader:');
  let last: [Tensor, Tensor] | undefined;
  for (const [inputs, targets] of loaders.train) {
    nb.print(66, torchSize(inputs.shape), torchSize(targets.shape)); // both [8, longest of this batch]
    last = [inputs, targets];
  }
  if (!last) return;
  nb.print(68, last[0].select(0, 0));
  nb.print(70, last[1].select(0, 0));
}

/** Answers to the first test examples, the first three shown in full, all of them saved. */
async function answer(
  nb: Notebook,
  model: GPTModel,
  test: readonly InstructionEntry[],
  options: { maxNewTokens: number; answers: number; folder: string },
): Promise<void> {
  const asked = test.slice(0, options.answers);
  const answered: AnsweredEntry[] = [];
  const progress = new Progress('  answering', asked.length);
  const start = performance.now();
  for (const entry of asked) {
    const response = respond(model, entry, options.maxNewTokens);
    answered.push({ ...entry, model_response: response });
    progress.update(answered.length);
    if (answered.length > 3) continue;
    progress.clear();
    nb.print(96, formatInput(entry));
    nb.print(96, `\nCorrect response:\n>> ${entry.output}`);
    nb.print(96, `\nModel response:\n>> ${response}`);
    nb.print(96, '-------------------------------------');
  }
  progress.stop();
  const seconds = (performance.now() - start) / 1000;
  nb.print(98, `${answered.length}/${test.length} answered, ${(answered.length / seconds).toFixed(2)}it/s`);
  nb.print(100, repr(answered[0]));
  const path = join(options.folder, 'instruction-data-with-response.json');
  await saveResponses(path, answered);
  nb.note(`Answers saved to ${path}`);
}

async function plotLosses(path: string, method: string, history: LossHistory, epochs: number): Promise<void> {
  const curve = (name: string, values: readonly number[]) => ({
    name,
    points: values.map((y, i) => ({ x: (epochs * i) / Math.max(1, values.length - 1), y })),
  });
  await plotCurves(path, [curve('training', history.trainLosses), curve('validation', history.valLosses)], {
    title: `Instruction fine-tuning: ${method}`,
    x: 'epochs',
    y: 'loss',
  });
}

interface MethodResult {
  method: InstructionMethod;
  trainable: number;
  trainLoss: number;
  valLoss: number;
  seconds: number;
}

export async function run(nb: Notebook, options: InstructionRunOptions): Promise<void> {
  const { seed, model: name, batchSize } = options;
  const { epochs, evalFreq, maxNewTokens, answers } = effort(options);
  const folder = join(options.out, 'chapter07');
  const print = (line: string) => nb.note(line);

  nb.section('7.2 Preparing a dataset for supervised instruction fine-tuning');
  const { entries, source } = await obtainInstructions({ data: options.data, print });
  nb.note(`Instructions: ${source}`);
  nb.figure('data', source);
  const parts = showData(nb, entries);

  nb.section('7.3 Organising data into training batches');
  showCollate(nb);

  nb.section('7.4 Creating data loaders for an instruction dataset');
  const { contextLength } = modelConfig(name);
  const loaders = makeInstructionLoaders(parts, { batchSize, maxLength: contextLength });
  showLoaders(nb, loaders, seed);

  nb.section('7.5 Loading a pretrained LLM');
  const freshModel = () => obtainModel({ ...options, model: name, print });
  let model = (await freshModel()).eval();
  nb.note(`${name}: ${countParameters(model).toLocaleString('en')} parameters`);
  const [firstValid] = parts.valid;
  nb.print(77, formatInput(firstValid));
  nb.print(80, respond(model, firstValid, Math.min(35, maxNewTokens)));

  nb.section('7.6 Fine-tuning the LLM on instruction data');
  manualSeed(seed);
  const losses = noGrad(() =>
    [loaders.train, loaders.valid].map((loader) => calcLossLoader(loader, model, 5)),
  );
  nb.print(86, 'Training loss:', losses[0]);
  nb.print(86, 'Validation loss:', losses[1]);

  const methods: InstructionMethod[] = options.method === 'all' ? ['full', 'lora'] : [options.method];
  const results: MethodResult[] = [];
  for (const method of methods) {
    if (results.length > 0) model = await freshModel();
    const start = performance.now();
    manualSeed(seed);
    const trainable = prepareModel(model, method, options);
    nb.note(`${method}: ${trainable.toLocaleString('en')} parameters are trained`);
    const history = fineTuneOnInstructions(model, loaders, {
      ...options,
      method,
      lr: options.lr ?? defaultLearningRate(name, method),
      epochs,
      evalFreq,
      startContext: formatInput(firstValid),
      print: (line) => (method === 'full' ? nb.print(89, line) : nb.note(line)),
    });
    const seconds = (performance.now() - start) / 1000;
    nb.note(`Training completed in ${(seconds / 60).toFixed(2)} minutes.`);
    const [trainLoss, valLoss] = [loaders.train, loaders.valid].map((loader) =>
      calcLossLoader(loader, model.eval(), 5),
    );
    results.push({ method, trainable, trainLoss, valLoss, seconds });
    nb.figure(`history-${method}`, history);
    if (history.trainLosses.length === 0) continue;
    const plot = join(folder, `${method}-loss.svg`);
    await plotLosses(plot, method, history, epochs);
    nb.note(`Plot: ${plot}`);
  }
  nb.note(
    formatTable(
      ['method', 'trainable', 'train loss', 'valid loss', 'seconds'],
      results.map((r) => [
        r.method,
        r.trainable.toLocaleString('en'),
        r.trainLoss.toFixed(3),
        r.valLoss.toFixed(3),
        r.seconds.toFixed(1),
      ]),
    ),
  );
  nb.figure('results', results);

  nb.section('7.7 Extracting and saving responses');
  await answer(nb, model, parts.test, { maxNewTokens, answers, folder });
  // The name as the book makes it: 'gpt2-medium (355M)' without blanks and brackets.
  const fileName = `${name === 'gpt2-medium' ? 'gpt2-medium355M' : name}-sft.safetensors`;
  await saveTensors(join(folder, fileName), model.stateDict());
  nb.print(102, 'Model saved as', fileName);

  nb.section('7.8 Evaluating the fine-tuned LLM');
  nb.note(
    'The book has an 8-billion-parameter model on the reader’s machine score each answer from 0 to 100. That is left ' +
      'out here; the saved answers are in the format that its script reads.',
  );
  for (const cell of [115, 118, 121]) nb.print(cell, 'Left out: no local model to ask');
}

if (isProgram(import.meta.url)) {
  await runChapter({
    chapter: 'chapter07',
    summary:
      'Fine-tunes a GPT to follow instructions: the data, batches of their own widths, training, answers.',
    options: OPTIONS,
    run: (nb, options) => run(nb, options as InstructionRunOptions),
  });
}
