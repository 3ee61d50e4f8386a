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

/**
 * Chapter 5's loop with the three additions: the learning rate is set before each step, rising to the optimiser's
 * own (the peak) and then falling, and after the warm-up the gradients are clipped to a norm of 1.
 */
export function trainModel(
  model: GPTModel,
  trainLoader: Batches,
  valLoader: Batches,
  optimizer: optim.Optimizer,
  options: TrainingOptions,
): TrainingHistory {
  const { numEpochs, evalFreq, evalIter, warmupSteps, print = console.log } = options;
  const { initialLr = 3e-5, minLr = 1e-6 } = options;
  const peakLr = optimizer.lr;
  const schedule = { initialLr, peakLr, minLr, warmupSteps, totalSteps: trainLoader.length * numEpochs };
  const history: TrainingHistory = { trainLosses: [], valLosses: [], tokensSeen: [], learningRates: [] };
  let tokensSeen = 0;
  let step = -1;
  for (let epoch = 1; epoch <= numEpochs; epoch++) {
    model.train();
    for (const [inputs, targets] of trainLoader) {
      optimizer.zeroGrad();
      step++;
      optimizer.lr = cosineLearningRate(step, schedule);
      history.learningRates.push(optimizer.lr);
      const loss = calcLossBatch(inputs, targets, model);
      loss.backward();
      if (step >= warmupSteps) clipGradients(model);
      optimizer.step();
      tokensSeen += inputs.size;
      options.onStep?.(step, loss.item());
      if (step % evalFreq === 0) {
        const [trainLoss, valLoss] = evaluateModel(model, trainLoader, valLoader, evalIter);
        history.trainLosses.push(trainLoss);
        history.valLosses.push(valLoss);
        history.tokensSeen.push(tokensSeen);
        const at = String(step).padStart(6, '0');
        print(`Ep ${epoch} (Iter ${at}): Train loss ${trainLoss.toFixed(3)}, Val loss ${valLoss.toFixed(3)}`);
      }
    }
    generateAndPrintSample(model, options.tokeniser, options.startContext, print);
  }
  return history;
}
