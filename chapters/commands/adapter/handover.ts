import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { io, manualSeed, nn, UserError } from '../../../lib/index.ts';
import { END_OF_TEXT, gpt2Files } from '../../chapter02/index.ts';
import type { GPTModel } from '../../chapter04/index.ts';
import { hubName, modelConfig, obtainModel, toOpenAI } from '../../chapter05/index.ts';
import {
  type ClassifierSettings,
  classifierFile,
  classNames,
  defaultEpochs,
  defaultLearningRate,
  defaultSchedule,
  firstLosses,
  makeDatasets,
  makeLoaders,
  type PreparedMessages,
  prepareMessages,
  replaceHead,
  SPAM_OPTIONS,
  WEIGHT_DECAY,
  wrapWithLoRA,
} from '../../chapter06/index.ts';
import type { OptionValues } from '../../common/options.ts';
import { writeParts } from '../../datasets/index.ts';
import { ADAPTER_OPTIONS, type LoadedAdapter, loadWithAdapter, lookAtGptAdapter } from './base-model.ts';
import { hubConfig } from './hub-config.ts';
import { defineCommand, say } from './program.ts';

const { data, textColumn, labelColumn, validationData, testData, split } = SPAM_OPTIONS;
const { seed, lr, epochs, batchSize } = SPAM_OPTIONS;

const OPTIONS = {
  ...ADAPTER_OPTIONS,
  out: { type: 'path', access: 'writeFolder', help: 'the folder to write', placeholder: 'DIR' },
  restart: {
    type: 'boolean',
    help: "begin where chapter 6 begins, with its seed and the adapter's rank and alpha, instead of going on",
  },
  ...{ data, textColumn, labelColumn, validationData, testData, split, seed, lr, epochs, batchSize },
} as const;

const SCRIPT = 'train.py';

/** Steps whose losses are computed here, for the other side to compare with. */
const COMPARED_STEPS = 5;

/** `npm run adapter -- handover`: everything with which transformers, peft and accelerate go on where we stopped. */
export const HANDOVER = defineCommand({
  summary:
    'Writes a folder with which the same fine-tuning goes on in Python, over many GPUs: the base, the adapter,\n' +
    'the tokeniser, the messages and a script for transformers, peft and accelerate. docs/outgrowing.md says more.',
  options: OPTIONS,
  async run(options) {
    const { out } = options;
    if (out === undefined) throw new UserError('say where to write: --out DIR');
    const found = lookAtGptAdapter(options);
    const { name } = found;
    const settings = requireClassifier(found);
    const { contextLength } = modelConfig(name);
    const prepared = await prepareMessages({ ...options, contextLength, print: say });
    const labels = classNames(prepared);
    if (labels.join('\n') !== settings.labels.join('\n')) {
      throw new UserError(
        `the classes of ${prepared.source} are ${labels.join(', ')}, but the adapter knows ${settings.labels.join(', ')}: ` +
          'give the data that it was trained on with --data',
      );
    }
    const datasets = makeDatasets(prepared.parts, { name, contextLength }, settings.maxLength, labels.length);
    const loaders = makeLoaders(datasets, options.batchSize);
    const loaded = await loadWithAdapter(options);
    requireWrapped(loaded, labels.length);

    const model = options.restart ? await fromTheStart(loaded, options) : goingOn(loaded, options.seed);
    const head = model.outHead as nn.LinearWithLoRA;
    const { synthetic: before, ...asked } = settings;
    const synthetic = prepared.synthetic || (before && !options.restart);
    const plan = {
      lr: options.lr ?? defaultLearningRate(name, 'lora'),
      schedule: defaultSchedule(name),
      epochs: options.epochs ?? defaultEpochs(name),
      seed: options.seed,
    };
    const blocks = await separateBlocks(model);
    const losses = await firstLosses(model, loaders.train, plan, comparableSteps(model, blocks));
    const hasBase = name === 'mini' || options.weights !== undefined;
    const notes = await writeHandover(out, model, {
      plan: {
        base: hubName(name),
        ...asked,
        batchSize: options.batchSize,
        ...plan,
        weightDecay: WEIGHT_DECAY,
        head: { scaling: head.lora.scaling },
        blocks,
        losses,
      },
      settings: { ...asked, synthetic },
      base: hasBase ? await obtainModel({ model: name, weights: options.weights, print: say }) : undefined,
      data: prepared,
      tokeniser: gpt2Files(),
    });
    for (const note of notes) console.log(note);
    console.log(
      `Written to ${out}; the first losses here are ${losses.map((loss) => loss.toFixed(4)).join(', ')}`,
    );
    console.log(`To go on there:  accelerate launch ${join(out, SCRIPT)}`);
  },
});

/** What a handover consists of, beside the model with the adapter. */
export interface HandedOver {
  /** All that the script is told. */
  plan: { base: string } & Record<string, unknown>;
  settings: ClassifierSettings;
  /** Where the hub does not have it. */
  base: GPTModel | undefined;
  data: Pick<PreparedMessages, 'parts' | 'synthetic'>;
  /** GPT-2's files. */
  tokeniser: ReturnType<typeof gpt2Files>;
}

/**
 * Writes all of it; an earlier handover in the folder is replaced as a whole, the script's plan last.
 * @returns what PEFT's format has no place for, a line each
 */
export async function writeHandover(
  out: string,
  model: GPTModel,
  { plan, settings, base, data, tokeniser }: HandedOver,
): Promise<string[]> {
  const { A, B } = (model.outHead as nn.LinearWithLoRA).lora; // [d, r], [r, classes]
  const { contextLength } = model.config;
  let notes: string[] = [];
  await io.replaceTogether(out, {
    'handover.json': `${JSON.stringify(plan, null, 2)}\n`, // what the script reads first
    [SCRIPT]: readFileSync(new URL(SCRIPT, import.meta.url)),
    adapter: async (place) => {
      const beside = classifierFile(settings);
      notes = await io.saveAdapter(place, model, { baseModel: plan.base, beside });
    },
    'head.safetensors': (place) => io.saveTensors(place, { A, B }, { metadata: { format: 'pt' } }),
    data: (place) => writeParts(place, data.parts, data.synthetic),
    tokeniser: (place) => writeTokeniser(place, tokeniser, contextLength),
    base: base ? (place) => writeBase(place, base) : null,
  });
  return notes;
}

/** @throws UserError if the folder's is not the adapter of a classifier that was trained here */
function requireClassifier({
  folder,
  config: { modulesToSave },
  settings,
}: Pick<LoadedAdapter, 'folder' | 'config' | 'settings'>): ClassifierSettings {
  if (!settings)
    throw new UserError(
      `${folder} has no classifier.json: only a classifier that was trained here can be handed over`,
    );
  const whole = modulesToSave.filter((name) => name !== 'score' && name !== 'classifier');
  if (whole.length === 0) return settings;
  throw new UserError(
    `the adapter in ${folder} brings ${whole.join(', ')} whole, which chapter 6 does not train`,
  );
}

/** @throws UserError if the head has not these classes, or nothing is wrapped, as in an adapter with another's classifier.json */
function requireWrapped({ model, folder }: LoadedAdapter, classes: number): void {
  if (model.outHead.outFeatures === classes && wrapped(model).length > 0) return;
  throw new UserError(
    `the adapter in ${folder} is not that of its classifier.json, which has ${classes} classes: make it again`,
  );
}

/** The adapter as it is. Its head, which has become one matrix, gets A and B anew, so that it learns as it did. */
function goingOn({ model }: LoadedAdapter, seed: number): GPTModel {
  model.requiresGrad_(false);
  const { rank, alpha } = loraOf(model);
  for (const { module } of wrapped(model)) module.lora.requiresGrad_(true);
  manualSeed(seed);
  model.replaceChild('out_head', nn.LinearWithLoRA.fromLinear(model.outHead as nn.Linear, { rank, alpha }));
  return model;
}

/** Chapter 6's model before its first step. */
async function fromTheStart(
  { model, name, settings }: LoadedAdapter,
  { weights, seed }: OptionValues<typeof OPTIONS>,
): Promise<GPTModel> {
  const { rank, alpha } = loraOf(model);
  const start = (await obtainModel({ model: name, weights, print: say })).eval();
  replaceHead(start, seed, settings!.labels.length);
  wrapWithLoRA(start, { rank, alpha });
  return start;
}

function wrapped(model: GPTModel): { path: string; module: nn.LinearWithLoRA }[] {
  return Array.from(model.namedModules()).flatMap(([path, module]) =>
    module instanceof nn.LinearWithLoRA && module.active ? [{ path, module }] : [],
  );
}

function loraOf(model: GPTModel): nn.LoRALayer {
  return wrapped(model)[0].module.lora;
}

/**
 * The ranks of query, key and value where they have an A and a B each, by the name of the layer that they are there:
 * its B has them as blocks, and what lies beside them must not learn.
 */
async function separateBlocks(model: GPTModel): Promise<Record<string, number[]>> {
  const ranks = new Map(wrapped(model).map(({ path, module }) => [path, module.lora.rank]));
  const { tensors } = io.adapterFiles(model, { baseModel: '' });
  const file = io.openWeightsIn(await io.folderOfContents({ 'model.safetensors': tensors }, 'the adapter'));
  const blocks: Record<string, number[]> = {};
  for (const { name, ours } of model.hubLayout().linears) {
    const own = ours.map((path) => ranks.get(path) ?? 0);
    const rank = file.get(`base_model.model.${name}.lora_A.weight`)?.shape[0];
    if (own.length > 1 && rank === own.reduce((sum, each) => sum + each, 0)) blocks[name] = own;
  }
  file.close();
  return blocks;
}

/**
 * How many losses can be the same there: none with dropout, which draws other numbers; one where peft's query, key and
 * value share an A, since ours are three.
 */
function comparableSteps(model: GPTModel, blocks: Record<string, number[]>): number {
  const fused = model.hubLayout().linears.filter(({ ours }) => ours.length > 1);
  const paths = new Set(wrapped(model).map(({ path }) => path));
  const isShared = fused.some(({ name, ours }) => !(name in blocks) && ours.some((path) => paths.has(path)));
  if (wrapped(model).some(({ module }) => module.lora.dropout > 0)) return 0;
  return isShared ? 1 : COMPARED_STEPS;
}

/** The base model as transformers reads it. */
async function writeBase(folder: string, base: GPTModel): Promise<void> {
  const beside = { 'config.json': `${JSON.stringify(hubConfig(base), null, 2)}\n` };
  const path = join(folder, 'model.safetensors');
  await io.saveTensors(path, toOpenAI(base), { metadata: { format: 'pt' }, beside });
}

/** GPT-2's tokeniser as transformers reads it. */
async function writeTokeniser(
  folder: string,
  { vocabBpe, encoderJson }: HandedOver['tokeniser'],
  contextLength: number,
): Promise<void> {
  const special = Object.fromEntries(
    ['bos_token', 'eos_token', 'unk_token'].map((name) => [name, END_OF_TEXT]),
  );
  const config = { ...special, model_max_length: contextLength, tokenizer_class: 'GPT2Tokenizer' };
  await io.writeFileAtomically(join(folder, 'vocab.json'), encoderJson);
  await io.writeFileAtomically(join(folder, 'merges.txt'), vocabBpe);
  await io.writeFileAtomically(join(folder, 'tokenizer_config.json'), `${JSON.stringify(config, null, 2)}\n`);
}
