import { join } from 'node:path';
import { isProgram, runChapter } from '../common/cli.ts';
import type { Notebook } from '../common/notebook.ts';
import { showCopyAndView, showOperations, showTypes } from './02-tensors.ts';
import { showGraph } from './03-computation-graph.ts';
import { showGradients } from './04-autograd.ts';
import { showNetwork } from './05-network.ts';
import { showDataLoaders } from './06-data-loaders.ts';
import { showTraining } from './07-training.ts';
import { showSaving } from './08-saving.ts';

const OPTIONS = {
  out: {
    type: 'path',
    access: 'writeFolder',
    help: 'folder for the saved model',
    default: 'runs',
    placeholder: 'DIR',
  },
} as const;

/** Appendix A, with our library in place of PyTorch. */
export async function run(nb: Notebook, options: { out: string }): Promise<void> {
  nb.section('A.2.1 Scalars, vectors, matrices and tensors');
  showCopyAndView(nb);

  nb.section('A.2.2 Tensor data types');
  showTypes(nb);

  nb.section('A.2.3 Common tensor operations');
  showOperations(nb);

  nb.section('A.3 Seeing models as computation graphs');
  showGraph(nb);

  nb.section('A.4 Automatic differentiation made easy');
  showGradients(nb);

  nb.section('A.5 Implementing multilayer neural networks');
  showNetwork(nb);

  nb.section('A.6 Setting up efficient data loaders');
  showDataLoaders(nb);

  nb.section('A.7 A typical training loop');
  const model = showTraining(nb);

  nb.section('A.8 Saving and loading models');
  await showSaving(nb, model, join(options.out, 'appendixA', 'model.safetensors'));
}

if (isProgram(import.meta.url)) {
  await runChapter({
    chapter: 'appendixA',
    summary: 'The tensor library: tensors, gradients, modules, data, training, saving.',
    options: OPTIONS,
    run,
  });
}
