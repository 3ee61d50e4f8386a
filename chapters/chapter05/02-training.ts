import { type nn, noGrad, type optim } from '../../lib/index.ts';
import { type GPTModel, generateTextSimple } from '../chapter04/index.ts';
import { runToEnd, TrainingPlace } from '../common/training-place.ts';
import {
  type Batches,
  calcLossBatch,
  calcLossLoader,
  type Tokeniser,
  textToTokenIds,
  tokenIdsToText,
} from './01-text-and-loss.ts';

export interface PretrainingOptions {
  numEpochs: number;
  /** Steps between two looks at the losses. */
  evalFreq: number;
  /** Batches of each set that such a look takes. */
  evalIter: number;
  /** Continued after each epoch, to see what the model has learnt. */
  startContext: string;
  tokeniser: Tokeniser;
  /** Where lines go; the console by default. */
  print?: (line: string) => void;
  onStep?: (step: number, loss: number) => void;
}

export interface LossHistory {
  trainLosses: number[];
  valLosses: number[];
  tokensSeen: number[];
}

export function emptyLossHistory(): LossHistory {
  return { trainLosses: [], valLosses: [], tokensSeen: [] };
}

/** Losses of both sets over `evalIter` batches, with dropout off. */
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

/** Prints, on one line, how the model goes on from `startContext` for 50 tokens. */
export function generateAndPrintSample(
  model: GPTModel,
  encoder: Tokeniser,
  startContext: string,
  print: (line: string) => void = console.log,
): void {
  model.eval();
  const ids = generateTextSimple(
    model,
    textToTokenIds(startContext, encoder),
    50,
    model.config.contextLength,
  );
  print(tokenIdsToText(ids, encoder).replaceAll('\n', ' '));
  model.train();
}

/**
 * The training loop: for each batch forget the gradients, compute the loss, go backward, take a step.
 *
 * It is a generator, which rests after every step and yields its loss: whoever runs it may draw a curve, wait, stop, or
 * keep its `place` and go on from there another day.
 */
export function* trainModelSteps(
  model: GPTModel,
  trainLoader: Batches,
  valLoader: Batches,
  optimizer: optim.Optimizer,
  options: PretrainingOptions,
  place = new TrainingPlace(emptyLossHistory()),
): Generator<number, LossHistory> {
  const { numEpochs, evalFreq, evalIter, startContext, tokeniser } = options;
  const { history } = place;
  const print = place.printer(options.print ?? console.log);
  for (const epoch of place.epochs(numEpochs)) {
    model.train();
    for (const [inputs, targets] of place.batches(trainLoader)) {
      optimizer.zeroGrad();
      const loss = calcLossBatch(inputs, targets, model);
      loss.backward();
      optimizer.step();
      place.seen += inputs.size;
      if (place.step % evalFreq === 0) {
        const [trainLoss, valLoss] = noGrad(() => evaluateModel(model, trainLoader, valLoader, evalIter));
        history.trainLosses.push(trainLoss);
        history.valLosses.push(valLoss);
        history.tokensSeen.push(place.seen);
        print(lossLine(epoch, place.step, trainLoss, valLoss));
      }
      yield loss.item();
    }
    generateAndPrintSample(model, tokeniser, startContext, print);
  }
  return history;
}

/** The same as the book has it: from the first step to the last. */
export function trainModelSimple(
  model: GPTModel,
  trainLoader: Batches,
  valLoader: Batches,
  optimizer: optim.Optimizer,
  options: PretrainingOptions,
): LossHistory {
  return runToEnd(trainModelSteps(model, trainLoader, valLoader, optimizer, options), options.onStep);
}

/** `Ep 1 (Step 000000): Train loss 9.817, Val loss 9.924`. */
export function lossLine(epoch: number, step: number, trainLoss: number, valLoss: number): string {
  const at = String(step).padStart(6, '0');
  return `Ep ${epoch} (Step ${at}): Train loss ${trainLoss.toFixed(3)}, Val loss ${valLoss.toFixed(3)}`;
}
