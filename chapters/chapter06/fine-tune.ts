import {
  type DataLoader,
  type Dataset,
  DataLoader as Loader,
  manualSeed,
  optim,
  type Tensor,
} from '../../lib/index.ts';
import { countParameters, type GPTModel } from '../chapter04/index.ts';
import { Progress } from '../common/progress.ts';
import { chooseTrainable, type Method, wrapWithLoRA } from './02-classifier.ts';
import { calcAccuracyLoader } from './03-evaluation.ts';
import { type FineTuningHistory, trainClassifierSimple } from './04-fine-tuning.ts';
import { CachedPrefix, frozenBlocks, LastPositionClassifier } from './06-work-not-done.ts';

/** Training, validation and test part. */
export interface Parts<T> {
  train: T;
  valid: T;
  test: T;
}

export type Messages = Dataset<[Tensor, Tensor]>;
export type Loaders = Parts<DataLoader<[Tensor, Tensor]>>;

export function makeLoaders(parts: Parts<Messages>, batchSize: number): Loaders {
  return {
    train: new Loader(parts.train, { batchSize, shuffle: true, dropLast: true }),
    valid: new Loader(parts.valid, { batchSize }),
    test: new Loader(parts.test, { batchSize }),
  };
}

export interface FineTuneSettings {
  method: Method;
  rank: number;
  alpha: number;
  lr: number;
  epochs: number;
  batchSize: number;
  seed: number;
  print: (line: string) => void;
}

export interface FineTuneResult {
  method: Method;
  classifier: LastPositionClassifier;
  trainable: number;
  history: FineTuningHistory;
  accuracy: Parts<number>;
  seconds: number;
}

/**
 * Fine-tunes a model that has its new head already, by one method: AdamW with a weight decay of 0.1, losses
 * every 50 steps over 5 batches, accuracies at the end over everything.
 */
export function fineTune(
  model: GPTModel,
  parts: Parts<Messages>,
  settings: FineTuneSettings,
): FineTuneResult {
  const { method, epochs, batchSize, print } = settings;
  const start = performance.now();
  manualSeed(settings.seed);
  if (method === 'lora') wrapWithLoRA(model, settings);
  else chooseTrainable(model, method);
  const trainable = countParameters(model, { trainableOnly: true });
  const [some, all] = [trainable, countParameters(model)].map((count) => count.toLocaleString('en'));
  print(
    `${some} of ${all} parameters are trained, in ${epochs} ${epochs === 1 ? 'pass' : 'passes'} over the messages`,
  );

  const cached = frozenBlocks(model);
  const classifier = new LastPositionClassifier(model, cached);
  const loaders = makeLoaders(
    cached > 0 && epochs > 0 ? cachePrefix(model, parts, cached, print) : parts,
    batchSize,
  );

  manualSeed(settings.seed);
  const trainedParameters = model.parameters().filter((parameter) => parameter.requiresGrad);
  const optimizer = new optim.AdamW(trainedParameters, { lr: settings.lr, weightDecay: 0.1 });
  const progress = new Progress(`  ${method}`, epochs * loaders.train.length);
  const history = trainClassifierSimple(classifier, loaders.train, loaders.valid, optimizer, {
    numEpochs: epochs,
    evalFreq: 50,
    evalIter: 5,
    print,
    onStep: (step, loss) => progress.update(step + 1, `loss ${loss.toFixed(3)}`),
  });
  progress.stop();
  const accuracy = {
    train: calcAccuracyLoader(loaders.train, classifier),
    valid: calcAccuracyLoader(loaders.valid, classifier),
    test: calcAccuracyLoader(loaders.test, classifier),
  };
  return { method, classifier, trainable, history, accuracy, seconds: (performance.now() - start) / 1000 };
}

function cachePrefix(
  model: GPTModel,
  parts: Parts<Messages>,
  count: number,
  print: (line: string) => void,
): Parts<Messages> {
  const start = performance.now();
  const cached = {
    train: new CachedPrefix(model, parts.train, count),
    valid: new CachedPrefix(model, parts.valid, count),
    test: new CachedPrefix(model, parts.test, count),
  };
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  print(
    `The first ${count} of ${model.trfBlocks.length} blocks are frozen: computed once for all epochs, in ${seconds} s`,
  );
  return cached;
}
