import type { optim } from '../../lib/index.ts';
import type { GPTModel } from '../chapter04/index.ts';
import {
  type Batches,
  calcLossBatch,
  evaluateModel,
  generateAndPrintSample,
  type LossHistory,
  type Tokeniser,
} from '../chapter05/index.ts';
import { runToEnd, TrainingPlace } from '../common/training-place.ts';
import { cosineLearningRate } from './02-cosine-decay.ts';
import { clipGradients } from './03-clipping.ts';

export interface TrainingOptions {
  numEpochs: number;
  /** Steps between two looks at the losses. */
  evalFreq: number;
  /** Batches of each set that such a look takes. */
  evalIter: number;
  startContext: string;
  tokeniser: Tokeniser;
  warmupSteps: number;
  initialLr?: number;
  minLr?: number;
  print?: (line: string) => void;
  onStep?: (step: number, loss: number) => void;
}

export interface TrainingHistory extends LossHistory {
  /** The learning rate of every step. */
  learningRates: number[];
}

export function emptyTrainingHistory(): TrainingHistory {
  return { trainLosses: [], valLosses: [], tokensSeen: [], learningRates: [] };
}

/**
 * Chapter 5's loop with the three additions: the learning rate is set before each step, rising to the optimiser's
 * own (the peak) and then falling, and after the warm-up the gradients are clipped to a norm of 1.
 */
export function* trainModelSteps(
  model: GPTModel,
  trainLoader: Batches,
  valLoader: Batches,
  optimizer: optim.Optimizer,
  options: TrainingOptions,
  place = new TrainingPlace(emptyTrainingHistory()),
): Generator<number, TrainingHistory> {
  const { numEpochs, evalFreq, evalIter, warmupSteps } = options;
  const { initialLr = 3e-5, minLr = 1e-6 } = options;
  const peakLr = optimizer.lr;
  const schedule = { initialLr, peakLr, minLr, warmupSteps, totalSteps: trainLoader.length * numEpochs };
  const { history } = place;
  const print = place.printer(options.print ?? console.log);
  for (const epoch of place.epochs(numEpochs)) {
    model.train();
    for (const [inputs, targets] of place.batches(trainLoader)) {
      const { step } = place;
      optimizer.zeroGrad();
      optimizer.lr = cosineLearningRate(step, schedule);
      history.learningRates.push(optimizer.lr);
      const loss = calcLossBatch(inputs, targets, model);
      loss.backward();
      if (step >= warmupSteps) clipGradients(model);
      optimizer.step();
      place.seen += inputs.size;
      if (step % evalFreq === 0) {
        const [trainLoss, valLoss] = evaluateModel(model, trainLoader, valLoader, evalIter);
        history.trainLosses.push(trainLoss);
        history.valLosses.push(valLoss);
        history.tokensSeen.push(place.seen);
        const at = String(step).padStart(6, '0');
        print(`Ep ${epoch} (Iter ${at}): Train loss ${trainLoss.toFixed(3)}, Val loss ${valLoss.toFixed(3)}`);
      }
      yield loss.item();
    }
    generateAndPrintSample(model, options.tokeniser, options.startContext, print);
  }
  return history;
}

/** The same as the book has it: from the first step to the last. */
export function trainModel(
  model: GPTModel,
  trainLoader: Batches,
  valLoader: Batches,
  optimizer: optim.Optimizer,
  options: TrainingOptions,
): TrainingHistory {
  return runToEnd(trainModelSteps(model, trainLoader, valLoader, optimizer, options), options.onStep);
}
