import { join } from 'node:path';
import { manualSeed, noGrad } from '../../lib/index.ts';
import { saveTensors } from '../../lib/io/checkpoint.ts';
import { countParameters, type GPTModel } from '../chapter04/index.ts';
import { calcLossLoader, type LossHistory, modelConfig, obtainModel } from '../chapter05/index.ts';
import { isProgram, runChapter } from '../common/cli.ts';
import type { Notebook } from '../common/notebook.ts';
import { plotCurves } from '../common/plot.ts';
import { Progress } from '../common/progress.ts';
import { repr } from '../common/python.ts';
import { formatTable } from '../common/table.ts';
import { runTraining } from '../common/training-run.ts';
import { INSTRUCTIONS, type InstructionEntry, obtain } from '../datasets/index.ts';
import { formatInput } from './01-formatting.ts';
import { makeInstructionLoaders } from './04-loaders.ts';
import {
  defaultLearningRate,
  type InstructionMethod,
  instructionTraining,
  prepareModel,
} from './05-fine-tuning.ts';
import { type AnsweredEntry, respond, saveResponses } from './06-responses.ts';
import { effort, type InstructionRunOptions, OPTIONS } from './options.ts';
import { showCollate, showData, showLoaders } from './show-data.ts';

/** Answers to the first test examples, the first three shown in full, all of them saved. */
async function answer(
  nb: Notebook,
  model: GPTModel,
  test: readonly InstructionEntry[],
  options: { maxNewTokens: number; answers: number; folder: string },
): Promise<void> {
  const asked = test.slice(0, options.answers);
  const answered: AnsweredEntry[] = [];
  const progress = new Progress('  answering', asked.length);
  const start = performance.now();
  for (const entry of asked) {
    const response = respond(model, entry, options.maxNewTokens);
    answered.push({ ...entry, model_response: response });
    progress.update(answered.length);
    if (answered.length > 3) continue;
    nb.print(96, formatInput(entry));
    nb.print(96, `\nCorrect response:\n>> ${entry.output}`);
    nb.print(96, `\nModel response:\n>> ${response}`);
    nb.print(96, '-------------------------------------');
  }
  progress.stop();
  const seconds = (performance.now() - start) / 1000;
  nb.print(98, `${answered.length}/${test.length} answered, ${(answered.length / seconds).toFixed(2)}it/s`);
  nb.print(100, repr(answered[0]));
  const path = join(options.folder, 'instruction-data-with-response.json');
  await saveResponses(path, answered);
  nb.note(`Answers saved to ${path}`);
}

async function plotLosses(path: string, method: string, history: LossHistory, epochs: number): Promise<void> {
  const curve = (name: string, values: readonly number[]) => ({
    name,
    points: values.map((y, i) => ({ x: (epochs * i) / Math.max(1, values.length - 1), y })),
  });
  await plotCurves(path, [curve('training', history.trainLosses), curve('validation', history.valLosses)], {
    title: `Instruction fine-tuning: ${method}`,
    x: 'epochs',
    y: 'loss',
  });
}

interface MethodResult {
  method: InstructionMethod;
  trainable: number;
  trainLoss: number;
  valLoss: number;
  seconds: number;
}

export async function run(nb: Notebook, options: InstructionRunOptions): Promise<void> {
  const { seed, model: name, batchSize } = options;
  const { epochs, evalFreq, maxNewTokens, answers } = effort(options);
  const folder = join(options.out, 'chapter07');
  const print = (line: string) => nb.note(line);

  nb.section('7.2 Preparing a dataset for supervised instruction fine-tuning');
  const { data: entries, source } = await obtain(INSTRUCTIONS, { path: options.data, print });
  nb.note(`Instructions: ${source}`);
  nb.figure('data', source);
  const parts = showData(nb, entries);

  nb.section('7.3 Organising data into training batches');
  showCollate(nb);

  nb.section('7.4 Creating data loaders for an instruction dataset');
  const { contextLength } = modelConfig(name);
  const loaders = makeInstructionLoaders(parts, { batchSize, maxLength: contextLength });
  showLoaders(nb, loaders, seed);

  nb.section('7.5 Loading a pretrained LLM');
  const freshModel = () => obtainModel({ ...options, model: name, print });
  let model = (await freshModel()).eval();
  nb.note(`${name}: ${countParameters(model).toLocaleString('en')} parameters`);
  const [firstValid] = parts.valid;
  nb.print(77, formatInput(firstValid));
  nb.print(80, respond(model, firstValid, Math.min(35, maxNewTokens)));

  nb.section('7.6 Fine-tuning the LLM on instruction data');
  manualSeed(seed);
  const losses = noGrad(() =>
    [loaders.train, loaders.valid].map((loader) => calcLossLoader(loader, model, 5)),
  );
  nb.print(86, 'Training loss:', losses[0]);
  nb.print(86, 'Validation loss:', losses[1]);

  const methods: InstructionMethod[] = options.method === 'all' ? ['full', 'lora'] : [options.method];
  const results: MethodResult[] = [];
  for (const method of methods) {
    if (results.length > 0) model = await freshModel();
    const start = performance.now();
    manualSeed(seed);
    const trainable = prepareModel(model, method, options);
    nb.note(`${method}: ${trainable.toLocaleString('en')} parameters are trained`);
    const { steps, ...training } = instructionTraining(model, loaders, {
      ...options,
      method,
      lr: options.lr ?? defaultLearningRate(name, method),
      epochs,
      evalFreq,
      startContext: formatInput(firstValid),
      print: (line) => (method === 'full' ? nb.print(89, line) : nb.note(line)),
    });
    const facts = { 'the instructions': source };
    const history = await runTraining(
      { ...training, folder: join(folder, method), options, facts, print },
      steps,
    );
    const seconds = (performance.now() - start) / 1000;
    nb.note(`Training completed in ${(seconds / 60).toFixed(2)} minutes.`);
    const [trainLoss, valLoss] = [loaders.train, loaders.valid].map((loader) =>
      calcLossLoader(loader, model.eval(), 5),
    );
    results.push({ method, trainable, trainLoss, valLoss, seconds });
    nb.figure(`history-${method}`, history);
    if (history.trainLosses.length === 0) continue;
    const plot = join(folder, `${method}-loss.svg`);
    await plotLosses(plot, method, history, epochs);
    nb.note(`Plot: ${plot}`);
  }
  nb.note(
    formatTable(
      ['method', 'trainable', 'train loss', 'valid loss', 'seconds'],
      results.map((r) => [
        r.method,
        r.trainable.toLocaleString('en'),
        r.trainLoss.toFixed(3),
        r.valLoss.toFixed(3),
        r.seconds.toFixed(1),
      ]),
    ),
  );
  nb.figure('results', results);

  nb.section('7.7 Extracting and saving responses');
  await answer(nb, model, parts.test, { maxNewTokens, answers, folder });
  // The name as the book makes it: 'gpt2-medium (355M)' without blanks and brackets.
  const fileName = `${name === 'gpt2-medium' ? 'gpt2-medium355M' : name}-sft.safetensors`;
  await saveTensors(join(folder, fileName), model.stateDict());
  nb.print(102, 'Model saved as', fileName);

  nb.section('7.8 Evaluating the fine-tuned LLM');
  nb.note(
    'The book has an 8-billion-parameter model on the reader’s machine score each answer from 0 to 100. That is left ' +
      'out here; the saved answers are in the format that its script reads.',
  );
  for (const cell of [115, 118, 121]) nb.print(cell, 'Left out: no local model to ask');
}

if (isProgram(import.meta.url)) {
  await runChapter({
    chapter: 'chapter07',
    summary:
      'Fine-tunes a GPT to follow instructions: the data, batches of their own widths, training, answers.',
    options: OPTIONS,
    run: (nb, options) => run(nb, options as InstructionRunOptions),
  });
}
