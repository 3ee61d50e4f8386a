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
import { countParameters, GPTModel } from '../chapter04/index.ts';
import { loadCheckpoint, saveCheckpoint } from '../chapter05/checkpoint.ts';
import { modelConfig } from '../chapter05/models.ts';
import { parseOptions, runMain } from '../common/command-line.ts';
import { Progress } from '../common/progress.ts';
import { openTerminal } from '../common/terminal.ts';
import { drawWindows, holdOut, readBook, readMessages, type Source } from './pretraining-text.ts';

/** How `mini` is pretrained: chapter 5's loop, on long texts, with everything kept to go on after a stop. */

const EVAL_BATCHES = 8;

interface LossPoint {
  step: number;
  tokens: number;
  trainLoss: number;
  valLoss: number;
}

interface PretrainingState {
  step: number;
  seconds: number;
  history: LossPoint[];
}

/** A new `mini`: GPT-2's own initialisation (normal, 0.02), and the head tied to the token embedding. */
function newMini(seed: number): GPTModel {
  manualSeed(seed);
  const model = new GPTModel(modelConfig('mini'));
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

/** The weights without the tied head, which would be the token embedding again. */
function weightsToSave(model: GPTModel): Record<string, Tensor> {
  const { 'out_head.weight': _tied, ...weights } = model.stateDict();
  return weights;
}

function lossOf(model: GPTModel, windows: readonly Int32Array[]): Tensor {
  const length = windows[0].length - 1;
  const part = (from: number) => {
    const ids = new Int32Array(windows.length * length);
    windows.forEach((window, i) => void ids.set(window.subarray(from, from + length), i * length));
    return tensor(ids).reshape(windows.length, length);
  };
  const logits = model.forward(part(0)); // [b, t, vocab]
  return F.crossEntropy(logits.flatten(0, 1), part(1).flatten());
}

/** Warm-up, then half a cosine down to a tenth (appendix D). */
function learningRate(step: number, steps: number, peak: number): number {
  const warmup = Math.min(100, steps / 10);
  if (step < warmup) return (peak * (step + 1)) / warmup;
  const done = (step - warmup) / Math.max(1, steps - warmup);
  return peak * (0.1 + 0.45 * (1 + Math.cos(Math.PI * Math.min(1, done))));
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
        help: 'SMSSpamCollection, for ordinary messages as a quarter of the batches',
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
      batchSize: { type: 'number', help: 'windows per step', default: 8, min: 1, integer: true },
      length: { type: 'number', help: 'tokens per window', default: 128, min: 2, max: 256, integer: true },
      lr: { type: 'number', help: 'peak learning rate', default: 2e-3, min: 0 },
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

  const sources: Source[] = [];
  if (options.text) sources.push({ name: 'text', ids: await readBook(options.text), share: 3 });
  if (options.sms) sources.push({ name: 'messages', ids: await readMessages(options.sms, seed), share: 1 });
  if (sources.length === 0)
    throw new UserError('nothing to learn from: give --text FILE, --sms FILE or both');
  const held = sources.map((source) => holdOut(source.ids, Math.floor(source.ids.length / 50)));
  const training = sources.map((source, i) => ({ ...source, ids: held[i].train }));
  const validation = sources.map((source, i) => ({ ...source, ids: held[i].heldOut }));

  const model = newMini(seed);
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
    `${countParameters(model).toLocaleString('en')} parameters; ` +
      training.map(({ name, ids }) => `${name} ${ids.length.toLocaleString('en')} tokens`).join(', '),
  );

  const meanLoss = (from: readonly Source[]) =>
    noGrad(() => {
      let sum = 0;
      for (let i = 0; i < EVAL_BATCHES; i++)
        sum += lossOf(model, drawWindows(from, batchSize, length, 7, i)).item();
      return sum / EVAL_BATCHES;
    });

  const save = async () => {
    await saveCheckpoint(files.checkpoint, model, optimizer);
    await saveTensors(files.weights, weightsToSave(model), { dtype: 'F16', metadata: { format: 'pt' } });
    await writeFileAtomically(files.state, JSON.stringify(state, null, 1));
  };

  const progress = new Progress('  pretraining', steps);
  const before = state.seconds;
  const start = performance.now();
  while (state.step < steps) {
    optimizer.lr = learningRate(state.step, steps, options.lr);
    optimizer.zeroGrad();
    const loss = lossOf(model, drawWindows(training, batchSize, length, seed * 1_000_003, state.step));
    loss.backward();
    optim.clipGradNorm(model.parameters(), 1);
    optimizer.step();
    state.step++;
    state.seconds = before + (performance.now() - start) / 1000;
    progress.update(state.step, `loss ${loss.item().toFixed(3)}`);
    if (state.step % options.saveEvery === 0 || state.step === steps) {
      const point = {
        step: state.step,
        tokens: state.step * tokensPerStep,
        trainLoss: Number(meanLoss(training).toFixed(4)),
        valLoss: Number(meanLoss(validation).toFixed(4)),
      };
      state.history.push(point);
      print(
        `step ${point.step}: train loss ${point.trainLoss.toFixed(3)}, val loss ${point.valLoss.toFixed(3)}`,
      );
      await save();
    }
  }
  progress.stop();
  print(`Weights in ${files.weights}`);
});
