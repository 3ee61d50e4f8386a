import type { DataLoader, nn, optim, Tensor } from '../../lib/index.ts';
import { lossLine } from '../chapter05/index.ts';
import { calcAccuracyLoader, calcLossBatch, calcLossLoader } from './03-evaluation.ts';

type Batches = DataLoader<[Tensor, Tensor]>;

export interface FineTuningOptions {
  numEpochs: number;
  /** Steps between two looks at the losses. */
  evalFreq: number;
  /** Batches of each set that such a look takes. */
  evalIter: number;
  print?: (line: string) => void;
  onStep?: (step: number, loss: number) => void;
}

export interface FineTuningHistory {
  trainLosses: number[];
  valLosses: number[];
  trainAccs: number[];
  valAccs: number[];
  examplesSeen: number;
}

/** Mean losses of both sets over `evalIter` batches. */
export function evaluateModel(
  model: nn.Module,
  train: Batches,
  val: Batches,
  evalIter: number,
): [number, number] {
  model.eval();
  const losses: [number, number] = [
    calcLossLoader(train, model, evalIter),
    calcLossLoader(val, model, evalIter),
  ];
  model.train();
  return losses;
}

/** The training loop of chapter 5, for labels instead of next tokens, with accuracies after each epoch. */
export function trainClassifierSimple(
  model: nn.Module,
  trainLoader: Batches,
  valLoader: Batches,
  optimizer: optim.Optimizer,
  options: FineTuningOptions,
): FineTuningHistory {
  const { numEpochs, evalFreq, evalIter, print = console.log } = options;
  const history: FineTuningHistory = {
    trainLosses: [],
    valLosses: [],
    trainAccs: [],
    valAccs: [],
    examplesSeen: 0,
  };
  let step = -1;
  for (let epoch = 1; epoch <= numEpochs; epoch++) {
    model.train();
    for (const [inputs, labels] of trainLoader) {
      optimizer.zeroGrad();
      const loss = calcLossBatch(inputs, labels, model);
      loss.backward();
      optimizer.step();
      history.examplesSeen += inputs.shape[0];
      step++;
      options.onStep?.(step, loss.item());
      if (step % evalFreq === 0) {
        const [trainLoss, valLoss] = evaluateModel(model, trainLoader, valLoader, evalIter);
        history.trainLosses.push(trainLoss);
        history.valLosses.push(valLoss);
        print(lossLine(epoch, step, trainLoss, valLoss));
      }
    }
    const trainAcc = calcAccuracyLoader(trainLoader, model, evalIter);
    const valAcc = calcAccuracyLoader(valLoader, model, evalIter);
    history.trainAccs.push(trainAcc);
    history.valAccs.push(valAcc);
    print(`Training accuracy: ${percent(trainAcc)} | Validation accuracy: ${percent(valAcc)}`);
  }
  return history;
}

/** 0.9625 as `96.25%`. */
export function percent(share: number): string {
  return `${(100 * share).toFixed(2)}%`;
}
