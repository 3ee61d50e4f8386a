/** The worker of the lab and of the start page: the model, its training, and the answers to what the page asks. */

import { tokeniser } from '../../../chapters/chapter05/index.ts';
import { spamProbability } from '../../../chapters/chapter06/index.ts';
import { io, nn, noGrad, tensor, useBackend, yieldToRuntime } from '../../../lib/index.ts';
import { assetUrl, onWritten, readBytes, writeBytes } from '../node/store.ts';
import { Experiment, type Messages, readMessages } from './experiment.ts';
import type { Ask, Dose, Lab, Settings, Told } from './lab-messages.ts';
import { dosed, matricesOf, movedLayers } from './matrices.ts';

const MINI = '/chapters/mini/model.safetensors';
const PAD = 50256;

const tell = (told: Told) => postMessage(told);
onWritten((kept, bytes) => {
  if (/checkpoint[^/]*\.safetensors$/.test(kept)) tell({ kept, bytes: bytes.slice() });
});

let messages: Messages | undefined;
let experiment: Experiment;
let dataPath: string | undefined;
/** Adapters that were handed in: they are put on each new model. */
const handedIn = new Map<string, { config: Uint8Array; tensors: Uint8Array }>();

const lab: {
  [K in keyof Lab]: (about: Parameters<Lab[K]>[0]) => Promise<ReturnType<Lab[K]>> | ReturnType<Lab[K]>;
} = {
  async open({ data }) {
    const { name, threads } = await useBackend('wasm');
    if (!messages) writeBytes(MINI, await fetchWithProgress(assetUrl(MINI)), false);
    if (data) {
      writeBytes(`/${data.name}`, data.bytes, false);
      dataPath = `/${data.name}`;
    }
    messages = await readMessages(dataPath, 42);
    const engine = `${name}, ${threads} thread${threads === 1 ? '' : 's'}`;
    return { engine, source: messages.source, synthetic: messages.synthetic };
  },

  async reset(settings: Settings) {
    experiment?.stop();
    messages = await readMessages(dataPath, settings.seed);
    experiment = await Experiment.begin(settings, messages);
    for (const [name, files] of handedIn) io.loadAdapterFiles(files, experiment.model, { name });
    if (handedIn.size > 0) nn.setAdapter(experiment.model, settings.method === 'lora' ? 'default' : null);
    const all = experiment.model.parameters().reduce((sum, { size }) => sum + size, 0);
    const isKept = readBytes('/runs/lab/checkpoint.safetensors') !== undefined;
    return { trainable: experiment.trainable, all, steps: experiment.steps, isKept };
  },

  train({ steps = Number.POSITIVE_INFINITY, goOn = false }) {
    if (experiment.settings.method === 'lora') nn.setAdapter(experiment.model, 'default');
    if (goOn) experiment.goOn();
    if (!experiment.isRunning) experiment.run(steps, tell).catch(fail);
    return { step: experiment.step };
  },

  pause() {
    experiment.stop();
    return {};
  },

  moved: () => ({ layers: movedLayers(experiment) }),
  matrices: ({ path }) => matricesOf(experiment, path),

  classify({ text, ...dose }) {
    const { model } = experiment;
    const probability = probabilityOf(text, dose);
    const before = dosed(model, { strength: 0 }, () => spamProbability(text, model, experiment));
    return { probability, before };
  },

  async influence({ text, ...dose }) {
    const ids = tokeniser.encode(text).slice(0, experiment.maxLength);
    const whole = probabilityOf(text, dose);
    const tokens: { text: string; change: number }[] = [];
    for (let i = 0; i < ids.length; i++) {
      const rest = ids.filter((_, at) => at !== i);
      const without = dosed(experiment.model, dose, () => spam(rest));
      tokens.push({ text: tokeniser.decode([ids[i]]), change: whole - without });
      await yieldToRuntime();
    }
    return { tokens };
  },

  async accuracy(dose) {
    experiment.stop();
    return dosed(experiment.model, dose, () => experiment.accuracy());
  },

  merge({ text }) {
    const { model } = experiment;
    experiment.stop();
    const ids = tokeniser.encode(text);
    const [apart, apartMs] = timed(() => logits(ids));
    nn.mergeLoRA(model);
    const [merged, mergedMs] = timed(() => logits(ids));
    nn.unmergeLoRA(model);
    const difference = Math.max(...apart.map((value, i) => Math.abs(value - merged[i])));
    return { difference, apartMs, mergedMs };
  },

  adapterFiles: () => io.adapterFiles(experiment.model, { baseModel: 'mini' }),

  loadAdapter({ name, config, tensors }) {
    io.loadAdapterFiles({ config, tensors }, experiment.model, { name });
    handedIn.set(name, { config, tensors });
    return { names: [...handedIn.keys()] };
  },

  setAdapter({ name }) {
    nn.setAdapter(experiment.model, name);
    return {};
  },
};

function probabilityOf(text: string, dose: Dose): number {
  const { model } = experiment;
  return dosed(model, dose, () => spamProbability(text, model, experiment));
}

/** The two logits of a message, filled up as in training. */
function logits(ids: readonly number[]): number[] {
  const { model, maxLength } = experiment;
  const padded = Array.from({ length: maxLength }, (_, i) => ids[i] ?? PAD);
  model.eval();
  return noGrad(() => model.forward(tensor([padded], { dtype: 'int32' })).index(0, -1)).toArray() as number[];
}

function spam(ids: readonly number[]): number {
  const [ham, spam] = logits(ids);
  return 1 / (1 + Math.exp(ham - spam));
}

/** What it gives, and the milliseconds of the quickest of three. */
function timed<T>(work: () => T): [T, number] {
  let [result, best] = [work(), Number.POSITIVE_INFINITY];
  for (let i = 0; i < 3; i++) {
    const start = performance.now();
    result = work();
    best = Math.min(best, performance.now() - start);
  }
  return [result, best];
}

async function fetchWithProgress(url: string): Promise<Uint8Array> {
  const response = await fetch(url);
  const total = Number(response.headers.get('content-length')) || 14_524_632;
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let received = 0;
  const reader = response.body!.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    pieces.push(next.value);
    received += next.value.length;
    tell({ loading: `mini: ${(received / 1e6).toFixed(1)} of ${(total / 1e6).toFixed(1)} MB` });
  }
  return new Uint8Array(await new Blob(pieces).arrayBuffer());
}

function fail(error: unknown): void {
  tell({ id: -1, mistake: error instanceof Error ? error.message : String(error) });
}

self.onmessage = async ({ data }: MessageEvent<Ask | { files: Record<string, Uint8Array> }>) => {
  if ('files' in data) {
    for (const [path, bytes] of Object.entries(data.files)) writeBytes(path, bytes, false);
    return;
  }
  // One after the other, but for what stops a training.
  if (data.name !== 'pause') await (turn = turn.then(() => answer(data)));
  else await answer(data);
};

let turn: Promise<void> = Promise.resolve();

async function answer({ id, name, about }: Ask): Promise<void> {
  try {
    const given = await (lab[name] as (about: unknown) => unknown)(about);
    tell({ id, answer: given });
  } catch (error) {
    tell({ id, mistake: error instanceof Error ? error.message : String(error) });
  }
}
