import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  F,
  manualSeed,
  nn,
  noGrad,
  optim,
  type Tensor,
  tensor,
  UserError,
  useBackend,
} from '../../lib/index.ts';
import { saveTensors } from '../../lib/io/checkpoint.ts';
import { writeFileAtomically } from '../../lib/io/files.ts';
import { END_OF_TEXT_ID } from '../chapter02/index.ts';
import { countParameters, GPTModel } from '../chapter04/index.ts';
import { loadCheckpoint, saveCheckpoint } from '../chapter05/checkpoint.ts';
import { modelConfig } from '../chapter05/models.ts';
import { parseOptions, runMain } from '../common/command-line.ts';
import { Progress } from '../common/progress.ts';
import { openTerminal } from '../common/terminal.ts';
import {
  drawWindows,
  holdOut,
  messageSource,
  readBook,
  readMessages,
  type Source,
  textSource,
} from './pretraining-text.ts';
import { Vocabulary } from './vocabulary.ts';

/** How `mini` is pretrained: chapter 5's loop, on long texts, with everything kept to go on after a stop. */

const EVAL_BATCHES = 4;

interface LossPoint {
  step: number;
  tokens: number;
  seconds: number;
  /** The mean over the steps since the last point. */
  trainLoss: number;
  /** On what is held out of each source, by name. */
  heldOut: Record<string, number>;
}

interface PretrainingState {
  step: number;
  seconds: number;
  history: LossPoint[];
}

/** A new `mini` over so many ids: GPT-2's own initialisation (normal, 0.02), and the head tied to the token embedding. */
function newMini(seed: number, vocabSize: number): GPTModel {
  manualSeed(seed);
  const model = new GPTModel({ ...modelConfig('mini'), vocabSize });
  noGrad(() => {
    for (const [name, parameter] of model.namedParameters()) {
      if (name.endsWith('.weight')) parameter.copyInPlace(nn.init.normal(parameter.shape, 0, 0.02));
      else if (name.endsWith('.bias')) parameter.copyInPlace(tensor(0));
    }
  });
  tieHead(model);
  return model;
}

/** GPT-2 uses one matrix for what a token means on the way in and how likely it is on the way out. */
function tieHead(model: GPTModel): void {
  model.outHead = nn.Linear.of(model.tokEmb.weight);
}

/** The weights over all ids, without the tied head, which would be the token embedding again. */
function weightsToSave(model: GPTModel, vocabulary: Vocabulary): Record<string, Tensor> {
  const { 'out_head.weight': _tied, ...weights } = model.stateDict();
  return { ...weights, 'tok_emb.weight': vocabulary.forAllIds(model.tokEmb.weight) };
}

/** A target that does not count, as crossEntropy has it. */
const IGNORED = -100;

/** The mean loss of windows [b][t + 1] of ids. Within a run of padding there is nothing to learn. */
function lossOf(model: GPTModel, vocabulary: Vocabulary, windows: readonly Int32Array[]): Tensor {
  const length = windows[0].length - 1;
  const inputs = new Int32Array(windows.length * length);
  const targets = new Int32Array(windows.length * length);
  windows.forEach((window, i) => {
    const numbers = vocabulary.numbersOf(window);
    inputs.set(numbers.subarray(0, length), i * length);
    targets.set(numbers.subarray(1), i * length);
    for (let j = 0; j < length; j++)
      if (window[j] === END_OF_TEXT_ID && window[j + 1] === END_OF_TEXT_ID) targets[i * length + j] = IGNORED;
  });
  let x = model.embed(tensor(inputs).reshape(windows.length, length)); // [b, t, d]
  x = model.finalNorm.forward(model.trfBlocks.forward(x)); // [b, t, d]
  return F.linearCrossEntropy(x.flatten(0, 1), model.tokEmb.weight, tensor(targets));
}

/** Warm-up, then half a cosine down to a fiftieth (appendix D). */
function learningRate(step: number, steps: number, peak: number): number {
  const warmup = Math.min(100, steps / 10);
  if (step < warmup) return (peak * (step + 1)) / warmup;
  const done = (step - warmup) / Math.max(1, steps - warmup);
  return peak * (0.02 + 0.49 * (1 + Math.cos(Math.PI * Math.min(1, done))));
}

await runMain(async () => {
  const options = parseOptions({
    command: 'npm run pretrain --',
    summary:
      'Pretrains mini, chapter 5 at length. Stop it when you like: the same command goes on where it was.',
    options: {
      text: {
        type: 'path',
        access: 'read',
        help: 'a plain text to learn from, e.g. public-domain novels',
        placeholder: 'FILE',
      },
      sms: {
        type: 'path',
        access: 'read',
        help: 'SMSSpamCollection, for messages as a quarter of the batches',
        placeholder: 'FILE',
      },
      out: {
        type: 'path',
        access: 'writeFolder',
        help: 'folder for the checkpoint and the result',
        default: 'runs/pretrain',
        placeholder: 'DIR',
      },
      steps: { type: 'number', help: 'steps in all', default: 4000, min: 1, integer: true },
      batchSize: { type: 'number', help: 'windows per step', default: 16, min: 1, integer: true },
      length: { type: 'number', help: 'tokens per window', default: 128, min: 2, max: 256, integer: true },
      lr: { type: 'number', help: 'peak learning rate', default: 3e-3, min: 0 },
      seed: { type: 'number', help: 'of weights and batches', default: 123, integer: true },
      saveEvery: {
        type: 'number',
        help: 'steps between two checkpoints',
        default: 200,
        min: 1,
        integer: true,
      },
      backend: { type: 'choice', help: 'engine', choices: ['auto', 'wasm', 'gpu', 'js'], default: 'auto' },
      threads: { type: 'number', help: 'threads of the CPU engine', min: 1, integer: true },
    },
  });
  const { batchSize, length, seed, steps, out } = options;
  const print = openTerminal();
  const engine = await useBackend(options.backend, { threads: options.threads });
  print(`Engine: ${engine.name} (${engine.why})`);

  const training: Source[] = [];
  const validation: Source[] = [];
  const add = (make: (part: 'train' | 'heldOut') => Source) => {
    training.push(make('train'));
    validation.push(make('heldOut'));
  };
  if (options.text) {
    const parts = holdOut(await readBook(options.text), 'the text');
    add((part) => textSource('text', 0.75, parts[part]));
  }
  if (options.sms) {
    const { ham, spam } = await readMessages(options.sms, seed);
    const hamParts = holdOut(ham, 'the ordinary messages');
    const spamParts = holdOut(spam, 'the spam');
    add((part) => messageSource('ham', 0.19, hamParts[part]));
    add((part) => messageSource('spam', 0.06, spamParts[part]));
  }
  if (training.length === 0)
    throw new UserError('nothing to learn from: give --text FILE, --sms FILE or both');
  const everything = [...training, ...validation].map((source) => source.ids());
  const vocabulary = new Vocabulary([...everything, [END_OF_TEXT_ID]], modelConfig('mini').vocabSize);

  const model = newMini(seed, vocabulary.ids.length);
  const optimizer = new optim.AdamW(model.parameters(), {
    lr: options.lr,
    weightDecay: 0.1,
    betas: [0.9, 0.95],
  });
  const files = {
    weights: join(out, 'model.safetensors'),
    checkpoint: join(out, 'checkpoint.safetensors'),
    state: join(out, 'state.json'),
  };
  let state: PretrainingState = { step: 0, seconds: 0, history: [] };
  if (existsSync(files.state) && existsSync(files.checkpoint)) {
    state = JSON.parse(await readFile(files.state, 'utf8')) as PretrainingState;
    loadCheckpoint(files.checkpoint, model, optimizer);
    print(`Going on from step ${state.step}`);
  }
  const tokensPerStep = batchSize * length;
  print(
    `${countParameters(model).toLocaleString('en')} parameters over ${vocabulary.ids.length.toLocaleString('en')} ids; ` +
      training.map(({ name, tokens }) => `${name} ${tokens.toLocaleString('en')} tokens`).join(', '),
  );

  const heldOutLoss = (source: Source) =>
    noGrad(() => {
      let sum = 0;
      for (let i = 0; i < EVAL_BATCHES; i++)
        sum += lossOf(model, vocabulary, drawWindows([source], batchSize, length + 1, 7, i)).item();
      return Number((sum / EVAL_BATCHES).toFixed(4));
    });

  const save = async () => {
    await saveCheckpoint(files.checkpoint, model, optimizer);
    await saveTensors(files.weights, weightsToSave(model, vocabulary), {
      dtype: 'F16',
      metadata: { format: 'pt' },
    });
    await writeFileAtomically(files.state, JSON.stringify(state, null, 1));
  };

  const progress = new Progress('  pretraining', steps);
  const before = state.seconds;
  const start = performance.now();
  let sum = 0;
  let summed = 0;
  while (state.step < steps) {
    optimizer.lr = learningRate(state.step, steps, options.lr);
    optimizer.zeroGrad();
    const windows = drawWindows(training, batchSize, length + 1, seed * 1_000_003, state.step);
    const loss = lossOf(model, vocabulary, windows);
    loss.backward();
    optim.clipGradNorm(model.parameters(), 1);
    optimizer.step();
    sum += loss.item();
    summed++;
    state.step++;
    state.seconds = before + (performance.now() - start) / 1000;
    progress.update(state.step, `loss ${loss.item().toFixed(3)}`);
    if (state.step % options.saveEvery === 0 || state.step === steps) {
      const point = {
        step: state.step,
        tokens: state.step * tokensPerStep,
        seconds: Math.round(state.seconds),
        trainLoss: Number((sum / summed).toFixed(4)),
        heldOut: Object.fromEntries(validation.map((source) => [source.name, heldOutLoss(source)])),
      };
      sum = summed = 0;
      state.history.push(point);
      const held = Object.entries(point.heldOut).map(([name, value]) => `${name} ${value.toFixed(3)}`);
      print(`step ${point.step}: training loss ${point.trainLoss.toFixed(3)}; held out ${held.join(', ')}`);
      await save();
    }
  }
  progress.stop();
  print(`Weights in ${files.weights}`);
});
