import { join } from 'node:path';
import { manualSeed, optim } from '../../lib/index.ts';
import { generate, obtainModel, textToTokenIds, tokenIdsToText } from '../chapter05/index.ts';
import { defaultEpochs, defaultLearningRate } from '../chapter06/defaults.ts';
import type { Loaders } from '../chapter06/fine-tune.ts';
import {
  calcAccuracyLoader,
  type FineTuningHistory,
  LastPositionClassifier,
  percent,
  replaceHead,
  trainClassifierSimple,
} from '../chapter06/index.ts';
import { peakMemoryGB, plotHistory, saveAdapter } from '../chapter06/results.ts';
import { loadDatasets, SPAM_OPTIONS, type SpamOptions, showLoaders } from '../chapter06/setup.ts';
import { isProgram, runChapter } from '../common/cli.ts';
import type { Notebook } from '../common/notebook.ts';
import { Progress } from '../common/progress.ts';
import { showLowRankUpdate } from './01-low-rank-update.ts';
import { freezeAndWrap } from './02-wrapping.ts';
import { showMerging } from './03-merging.ts';

/** Accuracies over the first batches of each part, or all of them. */
function showAccuracies(
  nb: Notebook,
  cell: number,
  loaders: Loaders,
  model: LastPositionClassifier,
  numBatches?: number,
) {
  const accuracy = {
    train: calcAccuracyLoader(loaders.train, model, numBatches),
    valid: calcAccuracyLoader(loaders.valid, model, numBatches),
    test: calcAccuracyLoader(loaders.test, model, numBatches),
  };
  nb.print(cell, `Training accuracy: ${percent(accuracy.train)}`);
  nb.print(cell, `Validation accuracy: ${percent(accuracy.valid)}`);
  nb.print(cell, `Test accuracy: ${percent(accuracy.test)}`);
  return accuracy;
}

function train(
  nb: Notebook,
  classifier: LastPositionClassifier,
  loaders: Loaders,
  options: SpamOptions & { epochs: number },
): FineTuningHistory {
  const start = performance.now();
  manualSeed(options.seed);
  const parameters = classifier.model.parameters().filter((parameter) => parameter.requiresGrad);
  const lr = options.lr ?? defaultLearningRate(options.model, 'lora');
  const optimizer = new optim.AdamW(parameters, { lr, weightDecay: 0.1 });
  const progress = new Progress('  lora', options.epochs * loaders.train.length);
  const history = trainClassifierSimple(classifier, loaders.train, loaders.valid, optimizer, {
    numEpochs: options.epochs,
    evalFreq: 50,
    evalIter: 5,
    print: (line) => nb.print(44, line),
    onStep: (step, loss) => progress.update(step + 1, `loss ${loss.toFixed(3)}`),
  });
  progress.stop();
  const minutes = (performance.now() - start) / 60_000;
  nb.print(44, `Training completed in ${minutes.toFixed(2)} minutes.`);
  return history;
}

export async function run(nb: Notebook, options: SpamOptions): Promise<void> {
  const { seed, rank, alpha } = options;

  nb.section('E.1 Introduction to LoRA: W + ΔW with ΔW ≈ AB');
  showLowRankUpdate(nb, { rank, alpha });

  nb.section('E.2 Preparing the dataset');
  const datasets = await loadDatasets(options, nb);
  manualSeed(seed);
  const loaders = showLoaders(nb, datasets, options.batchSize, [14, 16]);

  nb.section('E.3 Initialising the model');
  const model = await obtainModel({ ...options, print: (line) => nb.note(line) });
  model.eval();
  const { contextLength } = model.config;
  const continued = generate(model, textToTokenIds('Every effort moves you'), {
    maxNewTokens: 15,
    contextSize: contextLength,
  });
  nb.print(21, tokenIdsToText(continued));
  replaceHead(model, seed);
  const classifier = new LastPositionClassifier(model);
  manualSeed(seed);
  const before = showAccuracies(nb, 26, loaders, classifier, 10);

  nb.section('E.4 Parameter-efficient fine-tuning with LoRA');
  freezeAndWrap(nb, model, { rank, alpha });
  manualSeed(seed);
  const wrapped = showAccuracies(nb, 42, loaders, classifier, 10);
  nb.figure('accuracyBefore', before);
  nb.figure('accuracyWrapped', wrapped);

  const folder = join(options.out, 'appendixE');
  const epochs = options.epochs ?? defaultEpochs(options.model);
  if (epochs > 0) {
    const history = train(nb, classifier, loaders, { ...options, epochs });
    nb.figure('history', history);
    const plots = await plotHistory(folder, 'lora', history);
    nb.note(`Plots: ${plots.join(', ')}`);
    nb.figure('accuracy', showAccuracies(nb, 49, loaders, classifier));
  } else {
    nb.note('No epochs: nothing is trained, and the accuracies stay as they are.');
  }
  const adapter = join(folder, 'lora-adapter.safetensors');
  await saveAdapter(adapter, model, { base: options.model, rank: String(rank), alpha: String(alpha) });
  nb.note(`Adapter saved to ${adapter}`);

  nb.section('Merging: W + AB as one matrix');
  const [ids] = datasets.test.get(0);
  showMerging(nb, model, ids.unsqueeze(0));
  nb.note(`Peak memory: ${peakMemoryGB().toFixed(2)} GB`);
  nb.figure('peakMemoryGB', peakMemoryGB());
}

if (isProgram(import.meta.url)) {
  await runChapter({
    chapter: 'appendixE',
    summary:
      "LoRA step by step, as in the mission's notebook: the data, the model, freezing, wrapping, training, merging.",
    options: SPAM_OPTIONS,
    run,
  });
}
