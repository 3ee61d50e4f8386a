import { join } from 'node:path';
import { F, noGrad, tensor } from '../../lib/index.ts';
import { countParameters, type GPTModel } from '../chapter04/index.ts';
import { generate, obtainModel, textToTokenIds, tokenIdsToText, tokeniser } from '../chapter05/index.ts';
import { isProgram, runChapter } from '../common/cli.ts';
import { type Notebook, torchSize } from '../common/notebook.ts';
import { type Method, replaceHead } from './02-classifier.ts';
import { calcAccuracyLoader, calcLossLoader } from './03-evaluation.ts';
import { percent } from './04-fine-tuning.ts';
import { classifyReview } from './05-classify.ts';
import { LastPositionClassifier } from './06-work-not-done.ts';
import { defaultEpochs, defaultLearningRate } from './defaults.ts';
import { type FineTuneResult, fineTune } from './fine-tune.ts';
import { plotHistory, saveAdapter, showResults } from './results.ts';
import { loadDatasets, SPAM_OPTIONS, type SpamOptions, showLoaders } from './setup.ts';
import { showMessages } from './show-data.ts';

export const OPTIONS = {
  ...SPAM_OPTIONS,
  method: {
    type: 'choice',
    help: "what to train; the default compares the book's way (last-block) with LoRA",
    choices: ['last-block', 'lora', 'full', 'head', 'all'],
  },
} as const;

const EXAMPLES = [
  {
    cell: 112,
    text: 'You are a winner you have been specially selected to receive $1000 cash or a $2000 award.',
  },
  { cell: 113, text: "Hey, just wanted to check if we're still on for dinner tonight? Let me know!" },
];

function methodsFor(choice: Method | 'all' | undefined): Method[] {
  if (choice === undefined) return ['last-block', 'lora'];
  return choice === 'all' ? ['head', 'last-block', 'lora', 'full'] : [choice];
}

/** Asked in words, a model that is not fine-tuned goes on with the text and does not answer. */
function showAsked(nb: Notebook, model: GPTModel): void {
  const question = `Is the following text 'spam'? Answer with 'yes' or 'no': '${EXAMPLES[0].text}'`;
  const ids = generate(model, textToTokenIds(question), {
    maxNewTokens: 23,
    contextSize: model.config.contextLength,
  });
  nb.print(48, tokenIdsToText(ids));
}

export async function run(nb: Notebook, options: SpamOptions & { method?: Method | 'all' }): Promise<void> {
  const { seed, model: name } = options;

  nb.section('Preparing the dataset');
  const datasets = await loadDatasets(options, nb);
  if (datasets.prepared.before) showMessages(nb, datasets.prepared.before);
  nb.print(28, `[${tokeniser.encode('<|endoftext|>', { allowedSpecial: new Set(['<|endoftext|>']) })}]`);
  nb.print(31, datasets.train.maxLength);

  nb.section('Creating data loaders');
  const loaders = showLoaders(nb, datasets, options.batchSize, [38, 40]);

  nb.section('Initialising a model with pretrained weights');
  const freshModel = () => obtainModel({ ...options, model: name, print: (line) => nb.note(line) });
  const model = (await freshModel()).eval();
  nb.note(
    `${name}: ${countParameters(model).toLocaleString('en')} parameters${options.randomWeights ? ', random' : ''}`,
  );
  const continued = generate(model, textToTokenIds('Every effort moves you'), {
    maxNewTokens: 15,
    contextSize: model.config.contextLength,
  });
  nb.print(46, tokenIdsToText(continued));
  showAsked(nb, model);

  nb.section('Adding a classification head');
  nb.print(53, model);
  replaceHead(model, seed);
  const inputs = tensor([tokeniser.encode('Do you have time')], { dtype: 'int32' });
  nb.print(62, `Inputs: ${inputs}`);
  nb.print(62, `Inputs dimensions: ${torchSize(inputs.shape)}`);
  const outputs = noGrad(() => model.forward(inputs)); // [1, 4, 2]
  nb.print(64, `Outputs:\n ${outputs}`);
  nb.print(64, `Outputs dimensions: ${torchSize(outputs.shape)}`);
  const last = outputs.index(null, -1); // [1, 2]
  nb.print(68, `Last output token: ${last}`);
  nb.print(74, `Last output token: ${last}`);

  nb.section('Calculating the classification loss and accuracy');
  nb.print(76, `Class label: ${F.softmax(last).argmax().item()}`);
  nb.print(78, `Class label: ${last.argmax().item()}`);
  const untrained = new LastPositionClassifier(model);
  const names = [
    ['Training', loaders.train],
    ['Validation', loaders.valid],
    ['Test', loaders.test],
  ] as const;
  for (const [part, loader] of names) {
    nb.print(82, `${part} accuracy: ${percent(calcAccuracyLoader(loader, untrained, 10))}`);
  }
  for (const [part, loader] of names) {
    nb.print(89, `${part} loss: ${calcLossLoader(loader, untrained, 5).toFixed(3)}`);
  }

  const results: FineTuneResult[] = [];
  for (const method of methodsFor(options.method)) {
    nb.section(`Fine-tuning the model on supervised data: ${method}`);
    const start = await freshModel();
    replaceHead(start, seed);
    const lr = options.lr ?? defaultLearningRate(name, method);
    const epochs = options.epochs ?? defaultEpochs(name);
    const print = (line: string) => nb.note(line);
    const result = fineTune(start, datasets, { ...options, method, lr, epochs, print });
    results.push(result);
    if (method === 'lora') {
      const path = join(options.out, 'chapter06', 'lora-adapter.safetensors');
      await saveAdapter(path, start, {
        base: name,
        rank: String(options.rank),
        alpha: String(options.alpha),
      });
      nb.note(`Adapter saved to ${path}`);
    }
  }

  nb.section('Results');
  showResults(nb, results);
  for (const { method, history } of results) {
    if (history.trainAccs.length === 0) continue;
    const plots = await plotHistory(join(options.out, 'chapter06'), method, history);
    nb.note(`Plots: ${plots.join(', ')}`);
  }

  nb.section('Using the LLM as a spam classifier');
  const { classifier, method } = results[results.length - 1];
  nb.note(`(the model fine-tuned with ${method})`);
  for (const { cell, text } of EXAMPLES) {
    nb.note(`“${text}”`);
    nb.print(cell, classifyReview(text, classifier, { maxLength: datasets.train.maxLength }));
  }
}

if (isProgram(import.meta.url)) {
  await runChapter({
    chapter: 'chapter06',
    summary: 'Fine-tunes a GPT to tell spam from ham, twice from the same start: the last block, and LoRA.',
    options: OPTIONS,
    run: (nb, options) => run(nb, options as Parameters<typeof run>[1]),
  });
}
