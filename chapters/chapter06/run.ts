import { join } from 'node:path';
import { manualSeed, UserError } from '../../lib/index.ts';
import { countParameters } from '../chapter04/index.ts';
import { obtainBase } from '../chapter05/index.ts';
import { isProgram, runChapter } from '../common/cli.ts';
import type { Notebook } from '../common/notebook.ts';
import { countingWith, inGroup } from '../common/options.ts';
import { onData } from '../common/plot.ts';
import { checkRun, IS_TRAINED } from '../common/training.ts';
import { isGpt } from '../models/family.ts';
import {
  classNames,
  describeData,
  factsOf,
  prepareMessages,
  showPreparing,
} from './02-preparing-the-dataset.ts';
import { checkLength, makeDatasets, makeLoaders, showLoaders, showPadding } from './03-data-loaders.ts';
import { showPretrainedModel } from './04-pretrained-model.ts';
import { checkRank, type Method, prepareForMethod, replaceHead, showHead } from './05-classification-head.ts';
import { classWeightsOf, showLossAndAccuracy } from './06-loss-and-accuracy.ts';
import { type FineTuneResult, showFineTuning, showResults } from './07-fine-tuning.ts';
import { showClassifier, showOwnClassifier } from './08-spam-classifier.ts';
import { firstLosses, leaveWorkOut, showSameLosses } from './09-work-left-out.ts';
import { classifierOf, methodsFor } from './newer-models.ts';
import {
  defaultEpochs,
  defaultLearningRate,
  defaultSchedule,
  LORA_OPTIONS,
  SPAM_OPTIONS,
  type SpamOptions,
} from './options.ts';
import { isOwnData } from './own-data.ts';
import { saveAdapter, saveClassifier } from './saving.ts';
import { plotResults, pointsInWords } from './training-curves.ts';

export const OPTIONS = {
  ...SPAM_OPTIONS,
  ...countingWith([{ method: [undefined, 'lora', 'all'] }], LORA_OPTIONS),
  ...inGroup('Training', {
    method: {
      type: 'choice',
      help: "what to train; the default compares the book's way (last-block) with LoRA; a newer model has LoRA alone",
      choices: ['last-block', 'lora', 'full', 'head', 'all'],
    },
    plain: {
      type: 'boolean',
      help: 'compute everything, even what changes no result: several times slower',
      counts: IS_TRAINED,
    },
  }),
} as const;

export type Options = SpamOptions & { method?: Method | 'all'; plain: boolean };

/** Steps that are first taken the plain way, to compare. */
const PLAIN_STEPS = 10;

/** Chapter 6 from the messages to the finished classifier. */
export async function run(nb: Notebook, options: Options): Promise<void> {
  const { seed, batchSize, rank, alpha } = options;
  const print = (line: string) => nb.note(line);
  const folder = join(options.out, 'chapter06');

  isOwnData(options); // refuses what is for a table, where there is none
  const base = await obtainBase({ ...options, print });
  checkLength(options.maxLength, base);
  const { contextLength, tokeniser, padTokenId } = base;
  const methods = methodsFor(base, options.method);
  if (methods.includes('lora')) checkRank(base.embDim, rank);
  if (base.isNewer && options.plain)
    throw new UserError(
      `--plain is for mini and GPT-2: ${base.name} computes no padding anyway, so leave it out`,
    );

  nb.section('6.2 Preparing the dataset');
  const prepared = await prepareMessages({ ...options, contextLength, print });
  const labels = classNames(prepared);
  const classes = labels.length;
  nb.figure('data', { ...describeData(prepared), seed });
  showPreparing(nb, prepared);

  nb.section('6.3 Creating data loaders');
  const length = options.maxLength ?? prepared.maxLength;
  const datasets = makeDatasets(prepared.parts, base, length, classes);
  showPadding(nb, datasets, base.isNewer ? [padTokenId] : undefined);
  const loaders = makeLoaders(datasets, batchSize);
  showLoaders(nb, loaders, [38, 40]);
  nb.figure('maxLength', datasets.train.maxLength);

  const epochs = options.epochs ?? defaultEpochs(base.size);
  const classWeights = classWeightsOf(options.classWeights, prepared.parts.train, labels);
  const facts = await factsOf(prepared, options.weights);
  const savingOf = (method: Method) => ({
    folder: join(folder, method),
    options: { ...options, method },
    ...{ facts, totalSteps: epochs * loaders.train.length, print },
  });
  for (const method of methods) await checkRun(savingOf(method));

  nb.section('6.4 Initialising a model with pretrained weights');
  const freshModel = async () => {
    manualSeed(seed); // random weights are the same for all methods
    return base.fresh();
  };
  const model = await freshModel();
  showPretrainedModel(nb, model, base.name, prepared, tokeniser);

  nb.section('6.5 Adding a classification head');
  showHead(nb, model, { seed, modules: options.modules, classes, tokeniser });

  nb.section('6.6 Calculating the classification loss and accuracy');
  await showLossAndAccuracy(nb, classifierOf(model, padTokenId), loaders, tokeniser);

  const results: FineTuneResult[] = [];
  for (const method of methods) {
    nb.section(`6.7 Fine-tuning the model on supervised data: ${method}`);
    const start = await freshModel();
    replaceHead(start, seed, classes);
    const trainable = prepareForMethod(start, method, { rank, alpha });
    const lr = options.lr ?? defaultLearningRate(base.size, method);
    const schedule = defaultSchedule(base.size);
    const { keep } = options;
    const settings = {
      ...{ method, lr, schedule, epochs, seed, trainable, classWeights, keep, saving: savingOf(method) },
    };
    const [some, all] = [trainable, countParameters(start)].map((count) => count.toLocaleString('en'));
    nb.note(`${some} of ${all} parameters are trained, in ${epochs} ${epochs === 1 ? 'pass' : 'passes'}`);

    if (options.plain || epochs === 0 || !isGpt(start)) {
      results.push(await showFineTuning(nb, classifierOf(start, padTokenId), loaders, settings));
    } else {
      const everything = await firstLosses(start, loaders.train, settings, PLAIN_STEPS);
      const less = await leaveWorkOut(nb, start, datasets, batchSize);
      const result = await showFineTuning(nb, start, less.loaders, { ...settings, logitsOf: less.logitsOf });
      results.push(result);
      showSameLosses(nb, everything, result.history.stepLosses);
    }
    const { maxLength } = datasets.train;
    const asked = { labels, maxLength, padTokenId, synthetic: prepared.synthetic };
    if (method === 'lora') {
      await saveAdapter(nb, join(folder, 'adapter'), start, { ...options, hub: base.hub }, asked);
    } else if (isGpt(start) && !base.isNewer) {
      const whole = { ...asked, model: base.size };
      await saveClassifier(nb, join(folder, `${method}-classifier`), start, whole);
    }
  }
  showResults(nb, results, prepared);
  const plots = await plotResults(folder, results, {
    stepsPerEpoch: loaders.train.length,
    subtitle: `${onData(prepared.source, seed)}; ${pointsInWords(prepared.parts, batchSize)}`,
  });
  if (plots.length > 0) nb.result(`Plots: ${plots.join(', ')}`);

  nb.section('6.8 Using the LLM as a spam classifier');
  const last = results[results.length - 1];
  const like = { tokeniser, padTokenId, maxLength: datasets.train.maxLength };
  if (prepared.labels) showOwnClassifier(nb, last, prepared, like);
  else showClassifier(nb, last, like);
}

if (isProgram(import.meta.url)) {
  await runChapter({
    chapter: 'chapter06',
    summary: 'Fine-tunes a GPT to tell spam from ham, twice from the same start: the last block, and LoRA.',
    options: OPTIONS,
    examples: [
      '--method lora --data stand-in',
      '--method all --epochs 1',
      '--data tickets.csv --label-column topic --method lora',
      '--weights SmolLM2-135M-Instruct.Q4_1.gguf --data stand-in',
    ],
    run: (nb, options) => run(nb, options as Options),
  });
}
