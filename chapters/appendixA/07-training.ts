import {
  DataLoader,
  F,
  manualSeed,
  type nn,
  noGrad,
  optim,
  setPrintOptions,
  type Tensor,
} from '../../lib/index.ts';
import type { Notebook } from '../common/notebook.ts';
import { float } from '../common/python.ts';
import { NeuralNetwork } from './05-network.ts';
import {
  ToyDataset,
  testLabels,
  testPoints,
  trainingLabels,
  trainingLoader,
  trainingPoints,
} from './06-data-loaders.ts';

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

/** Three epochs, what the network then says of the five points, and how often it is right. */
export function showTraining(nb: Notebook): NeuralNetwork {
  manualSeed(123);
  const model = new NeuralNetwork(2, 2);
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.5 });
  const loader = trainingLoader();
  const numEpochs = 3;
  const padded = (n: number) => String(n).padStart(3, '0');
  train(model, loader, optimizer, numEpochs, ({ epoch, batch, loss }) => {
    const of = `Epoch: ${padded(epoch)}/${padded(numEpochs)} | Batch ${padded(batch)}/${padded(loader.length)}`;
    nb.print(57, `${of} | Train/Val Loss: ${loss.toFixed(2)}`);
  });
  predictions(
    nb,
    noGrad(() => model.forward(trainingPoints)),
  );
  nb.print(64, float(computeAccuracy(model, loader)));
  const test = new ToyDataset(testPoints, testLabels);
  nb.print(65, float(computeAccuracy(model, new DataLoader(test, { batchSize: 2 }))));
  return model;
}

/** outputs [5, 2] */
function predictions(nb: Notebook, outputs: Tensor): void {
  nb.print(58, outputs);
  setPrintOptions({ sciMode: false });
  const probabilities = outputs.softmax(1); // [5, 2]
  nb.print(59, probabilities);
  setPrintOptions({ sciMode: null });
  nb.print(59, probabilities.argmax(1)); // [5]
  const classes = outputs.argmax(1); // [5]: softmax keeps the order, so it is not needed here
  nb.print(60, classes);
  nb.print(61, classes.eq(trainingLabels));
  nb.print(62, classes.eq(trainingLabels).sum());
}
