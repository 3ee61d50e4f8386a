import { type DataLoader, F, type nn, noGrad, type optim } from '../../lib/index.ts';

export interface StepReport {
  /** From 1. */
  epoch: number;
  batch: number;
  loss: number;
}

/** The loop of every training in this book: predict, compare, differentiate, move. */
export function train(
  model: nn.Module,
  loader: DataLoader,
  optimizer: optim.Optimizer,
  numEpochs: number,
  onStep: (report: StepReport) => void = () => {},
): void {
  for (let epoch = 1; epoch <= numEpochs; epoch++) {
    model.train(); // dropout on, where there is any
    let batch = 0;
    for (const [points, labels] of loader) {
      const logits = model.forward(points); // [b, 2] → [b, classes]
      const loss = F.crossEntropy(logits, labels); // [b, classes], [b] → []
      optimizer.zeroGrad(); // or the last step's gradients would be added to
      loss.backward();
      optimizer.step();
      onStep({ epoch, batch: ++batch, loss: loss.item() });
    }
    model.eval();
  }
}

/** The share of examples whose largest logit is that of their label. */
export function computeAccuracy(model: nn.Module, loader: DataLoader): number {
  model.eval();
  let correct = 0;
  let total = 0;
  noGrad(() => {
    for (const [points, labels] of loader) {
      const predictions = model.forward(points).argmax(1); // [b, classes] → [b]
      correct += predictions.eq(labels).sum().item();
      total += labels.size;
    }
  });
  return correct / total;
}
