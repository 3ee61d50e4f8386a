import { join } from 'node:path';
import { io, manualSeed, UserError } from '../../lib/index.ts';
import { type BaseModel, obtainBase, saysItsSizes } from '../chapter05/index.ts';
import { checkRank } from '../chapter06/index.ts';
import { isProgram, runChapter } from '../common/cli.ts';
import type { Notebook } from '../common/notebook.ts';
import { UsageError } from '../common/options.ts';
import { onData } from '../common/plot.ts';
import { checkRun, fingerprint, fingerprintOfWeights, runTraining } from '../common/training.ts';
import { INSTRUCTIONS, obtain } from '../datasets/index.ts';
import { formatInput, showData } from './02-preparing-the-dataset.ts';
import { showCollate } from './03-batches.ts';
import { makeAnswerLoaders, makeInstructionLoaders, showLoaders } from './04-data-loaders.ts';
import { showPretrainedModel } from './05-pretrained-model.ts';
import {
  defaultLearningRate,
  type InstructionMethod,
  instructionTraining,
  lossesNow,
  type MethodResult,
  plotLosses,
  prepareModel,
  showLosses,
  showResults,
} from './06-fine-tuning.ts';
import { saveInstructionAdapter, showAnswers, showBeforeAndAfter } from './07-responses.ts';
import { effort, type InstructionRunOptions, OPTIONS } from './options.ts';

/** Chapter 7 from the instructions to the answers. */
export async function run(nb: Notebook, options: InstructionRunOptions): Promise<void> {
  const { seed, model: name, batchSize } = options;
  const folder = join(options.out, 'chapter07');
  const print = (line: string) => nb.note(line);
  // They are needed later: what is no file of weights is said before the work.
  if (options.weights && !saysItsSizes(options.weights))
    io.withTensors(options.weights, `the weights of ${name}`, () => {});
  const base = await obtainBase({ ...options, model: name, print });
  const { contextLength, embDim, tokeniser, endIds } = base;
  const methods = methodsFor(base, options);
  if (methods.includes('lora')) checkRank(embDim, options.rank);

  nb.section('7.2 Preparing a dataset for supervised instruction fine-tuning');
  const { data: entries, source } = await obtain(INSTRUCTIONS, { path: options.data, print });
  nb.note(`Instructions: ${source}`);
  nb.figure('data', { source, sha256: io.sha256(new TextEncoder().encode(JSON.stringify(entries))) });
  const parts = showData(nb, entries);

  nb.section('7.3 Organising data into training batches');
  showCollate(nb);

  nb.section('7.4 Creating data loaders for an instruction dataset');
  const loaders = base.isNewer
    ? makeAnswerLoaders(parts, base, batchSize)
    : makeInstructionLoaders(parts, { batchSize, maxLength: contextLength });
  if (base.isNewer) nb.note("(the model's own tokens; the answers alone are learnt)");
  showLoaders(nb, loaders, seed);
  const stepsPerEpoch = loaders.train.length;
  const { epochs, evalFreq, maxNewTokens, answers } = effort(options, stepsPerEpoch, base.isNewer);
  const facts = {
    'the instructions': fingerprint(entries),
    'the weights': await fingerprintOfWeights(options.weights),
  };
  const saving = { options, facts, print };
  for (const method of methods)
    await checkRun({ folder: join(folder, method), totalSteps: epochs * stepsPerEpoch, ...saving });

  nb.section('7.5 Loading a pretrained LLM');
  let model = await base.fresh();
  const [firstValid] = parts.valid;
  const tokens = base.isNewer ? { tokeniser, endIds } : undefined;
  showPretrainedModel(nb, model, firstValid, { name: base.name, maxNewTokens, tokens });

  nb.section('7.6 Fine-tuning the LLM on instruction data');
  showLosses(nb, model, loaders, seed);

  const results: MethodResult[] = [];
  for (const method of methods) {
    if (results.length > 0) model = await base.fresh();
    const start = performance.now();
    manualSeed(seed);
    const trainable = prepareModel(model, method, options);
    nb.note(`${method}: ${trainable.toLocaleString('en')} parameters are trained`);
    const lr = options.lr ?? defaultLearningRate(base.size, method);
    nb.figure(`used-${method}`, { lr, epochs, batchSize, seed, weightDecay: 0.1, evalFreq, maxNewTokens });
    const { steps, ...training } = instructionTraining(model, loaders, {
      ...options,
      method,
      lr,
      epochs,
      evalFreq,
      startContext: formatInput(firstValid),
      print: (line) => (method === 'full' ? nb.print(89, line) : nb.note(line)),
    });
    const history = await runTraining({ ...training, folder: join(folder, method), ...saving }, steps);
    const seconds = (performance.now() - start) / 1000;
    nb.note(`Training completed in ${(seconds / 60).toFixed(2)} minutes.`);
    const { train: trainLoss, valid: valLoss } = lossesNow(model, loaders);
    results.push({ method, trainable, trainLoss, valLoss, seconds });
    nb.figure(`history-${method}`, history);
    if (history.trainLosses.length === 0) continue;
    const plot = join(folder, `${method}-loss.svg`);
    await plotLosses(plot, history, {
      ...{ method, epochs, stepsPerEpoch, evalFreq, batchSize },
      subtitle: onData(source, seed),
    });
    nb.result(`Plot: ${plot}`);
  }
  showResults(nb, results);

  nb.section('7.7 Extracting and saving responses');
  if (tokens) {
    await showBeforeAndAfter(nb, model, parts.test, { maxNewTokens, answers, folder, tokens });
    await saveInstructionAdapter(nb, join(folder, 'adapter'), model, base, options.weights);
    return;
  }
  if (base.size === 'mini') {
    nb.note(
      '(mini is too small to follow instructions: its answers are short, often empty, and rarely right.',
    );
    nb.note('What can be seen is the form of an answer; gpt2-medium, the book’s model, gives sensible ones)');
  }
  await showAnswers(nb, model, parts.test, { maxNewTokens, answers, folder });
  // The name as the book makes it: 'gpt2-medium (355M)' without blanks and brackets.
  const fileName = `${name === 'gpt2-medium' ? 'gpt2-medium355M' : name}-sft.safetensors`;
  await io.saveTensors(join(folder, fileName), model.stateDict());
  nb.print(102, 'Model saved as', fileName);

  nb.section('7.8 Evaluating the fine-tuned LLM');
  nb.note(
    'The book has an 8-billion-parameter model on the reader’s machine score each answer from 0 to 100. That is left ' +
      'out here; the saved answers are in the format that its script reads.',
  );
  for (const cell of [115, 118, 121]) nb.print(cell, 'Left out: no local model to ask');
}

/** What is trained: of a newer model LoRA alone, since its matrices stay as they are in their file. */
function methodsFor(base: BaseModel, { method, rank, alpha }: InstructionRunOptions): InstructionMethod[] {
  if (base.isNewer) {
    if (method === undefined || method === 'lora') return ['lora'];
    throw new UserError(
      `--method ${method} is for mini and GPT-2: ${base.name} is fine-tuned with --method lora, its default`,
    );
  }
  const { rank: usual, alpha: asUsual } = OPTIONS;
  if (method === undefined && (rank !== usual.default || alpha !== asUsual.default))
    throw new UsageError(
      `--${rank !== usual.default ? 'rank' : 'alpha'} would be ignored, it counts only with --method lora or all: leave it out`,
    );
  return method === 'all' ? ['full', 'lora'] : [method ?? 'full'];
}

if (isProgram(import.meta.url)) {
  await runChapter({
    chapter: 'chapter07',
    summary:
      'Fine-tunes a GPT to follow instructions: the data, batches of their own widths, training, answers.',
    options: OPTIONS,
    examples: ['--data own', '--method all', '--slow', '--weights gemma-3-270m.gguf'],
    run: (nb, options) => run(nb, options as InstructionRunOptions),
  });
}
