import { join } from 'node:path';
import {
  DataLoader,
  manualSeed,
  noGrad,
  optim,
  rand,
  setPrintOptions,
  type Tensor,
  tensor,
} from '../../lib/index.ts';
import { isProgram, runChapter } from '../common/cli.ts';
import { type Notebook, torchSize } from '../common/notebook.ts';
import { float, tuple } from '../common/python.ts';
import { copyAndView, matrix, vector } from './01-tensors.ts';
import { binaryCrossEntropy, gradientsOf, neuron } from './02-autograd.ts';
import { countParameters, NeuralNetwork } from './03-network.ts';
import { ToyDataset, testLabels, testPoints, trainingLabels, trainingPoints } from './04-data.ts';
import { computeAccuracy, train } from './05-training.ts';
import { loadModel, saveModel } from './06-saving.ts';

const OPTIONS = {
  out: {
    type: 'path',
    access: 'writeFolder',
    help: 'folder for the saved model',
    default: 'runs',
    placeholder: 'DIR',
  },
} as const;

/** Prints what the notebook of appendix A prints, in its order, with our library in the place of PyTorch. */
export async function run(nb: Notebook, options: { out: string }): Promise<void> {
  tensors(nb);
  computationGraph(nb);
  automaticDifferentiation(nb);
  network(nb);
  dataLoaders(nb);
  const model = training(nb);
  await saving(nb, model, join(options.out, 'appendixA', 'model.safetensors'));
}

function tensors(nb: Notebook): void {
  nb.section('A.2.1 Scalars, vectors, matrices, and tensors');
  const { copy, view } = copyAndView();
  nb.print(11, copy);
  nb.print(12, view);
  nb.section('A.2.2 Tensor data types');
  nb.print(14, `torch.${vector.dtype}`);
  nb.print(15, `torch.${tensor([1, 2, 3]).dtype}`);
  nb.print(16, `torch.${vector.float().dtype}`);
  nb.section('A.2.3 Common PyTorch tensor operations');
  nb.print(18, matrix);
  nb.print(19, torchSize(matrix.shape));
  nb.print(20, matrix.reshape(3, 2));
  nb.print(21, matrix.view(3, 2));
  nb.print(22, matrix.T);
  nb.print(23, matrix.matmul(matrix.T));
  nb.print(24, matrix.matmul(matrix.T)); // @ in the notebook: TypeScript has no operators for tensors
}

function computationGraph(nb: Notebook): void {
  nb.section('A.3 Seeing models as computation graphs');
  const [y, x, w, b] = [1, 1.1, 2.2, 0].map((value) => tensor([value]));
  nb.print(27, binaryCrossEntropy(neuron(x, w, b), y));
}

function automaticDifferentiation(nb: Notebook): void {
  nb.section('A.4 Automatic differentiation made easy');
  const y = tensor([1]);
  const x = tensor([1.1]);
  const w = tensor([2.2], { requiresGrad: true });
  const b = tensor([0], { requiresGrad: true });
  const loss = binaryCrossEntropy(neuron(x, w, b), y);
  for (const gradient of gradientsOf(loss, [w, b])) nb.print(30, tuple(gradient));
  loss.backward();
  nb.print(31, w.grad);
  nb.print(31, b.grad);
}

function network(nb: Notebook): void {
  nb.section('A.5 Implementing multilayer neural networks');
  const unseeded = new NeuralNetwork(50, 3);
  nb.print(36, unseeded);
  nb.print(37, 'Total number of trainable model parameters:', countParameters(unseeded));
  const firstWeight = (model: NeuralNetwork) => model.stateDict()['layers.0.weight'];
  nb.print(38, firstWeight(unseeded));
  manualSeed(123);
  const model = new NeuralNetwork(50, 3);
  nb.print(39, firstWeight(model));
  nb.print(40, torchSize(firstWeight(model).shape));
  manualSeed(123);
  const x = rand(1, 50);
  nb.print(41, model.forward(x));
  noGrad(() => {
    nb.print(42, model.forward(x));
    nb.print(43, model.forward(x).softmax(1));
  });
}

function dataLoaders(nb: Notebook): void {
  nb.section('A.6 Setting up efficient data loaders');
  const dataset = new ToyDataset(trainingPoints, trainingLabels);
  nb.print(49, dataset.length);
  manualSeed(123);
  const show = (cell: number, loader: DataLoader) => {
    let batch = 0;
    for (const [points, labels] of loader) nb.print(cell, `Batch ${++batch}:`, points, labels);
  };
  show(52, new DataLoader(dataset, { batchSize: 2, shuffle: true }));
  show(54, trainingLoader());
}

/** Shuffled; the fifth example, which would be a batch alone, is left out of each epoch. */
function trainingLoader(): DataLoader {
  const dataset = new ToyDataset(trainingPoints, trainingLabels);
  return new DataLoader(dataset, { batchSize: 2, shuffle: true, dropLast: true });
}

function training(nb: Notebook): NeuralNetwork {
  nb.section('A.7 A typical training loop');
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

async function saving(nb: Notebook, model: NeuralNetwork, path: string): Promise<void> {
  nb.section('A.8 Saving and loading models');
  await saveModel(model, path);
  const restored = new NeuralNetwork(2, 2);
  loadModel(restored, path);
  const same = restored.forward(testPoints).sub(model.forward(testPoints)).abs().max().item() === 0;
  nb.note(`Saved as ${path} and loaded again: the outputs are ${same ? 'the same' : 'OTHERS'}`);
  nb.print(68, '<All keys matched successfully>');
}

if (isProgram(import.meta.url)) {
  await runChapter({
    chapter: 'appendixA',
    summary: 'The tensor library: tensors, gradients, modules, data, training, saving.',
    options: OPTIONS,
    run,
  });
}
