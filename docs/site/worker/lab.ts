/** The worker of the lab: the model, its training, and the answers to what the page asks. */

import { tokeniser } from '../../../chapters/chapter05/index.ts';
import { saveClassifierSettings } from '../../../chapters/chapter06/classifier-file.ts';
import { PAD_TOKEN_ID, readClassifierSettings } from '../../../chapters/chapter06/index.ts';
import { io, nn } from '../../../lib/index.ts';
import { namesIn, onWritten, readBytes, writeBytes } from '../node/store.ts';
import { type Answers, answerBy, failed, fetchMini, startEngine, tell } from './answering.ts';
import { type Classifier, classify, influence, logits } from './answers.ts';
import { dosed } from './dose.ts';
import { Experiment, type Messages, readMessages } from './experiment.ts';
import type { Settings } from './lab-messages.ts';
import { matricesOf, movedLayers } from './matrices.ts';

onWritten((kept, bytes) => {
  if (/checkpoint[^/]*\.safetensors$/.test(kept)) tell({ kept, bytes: bytes.slice() });
});

let messages: Messages | undefined;
let experiment: Experiment;
let dataPath: string | undefined;
/** Adapters that were handed in, with the length of their messages if they say it: they are put on each new model. */
const handedIn = new Map<string, number | undefined>();
let active: string | null = 'default';
const [IN, OUT] = ['/tmp/in', '/tmp/adapter'];

const lab: Answers = {
  async open({ data, engine: wanted }) {
    experiment?.stop();
    const engine = await startEngine(wanted);
    if (!messages) await fetchMini();
    if (data) {
      writeBytes(`/${data.name}`, data.bytes, false);
      dataPath = `/${data.name}`;
    }
    messages = await readMessages(dataPath, 42);
    return { engine, source: messages.source, synthetic: messages.synthetic };
  },

  async reset(settings: Settings) {
    experiment?.stop();
    messages = await readMessages(dataPath, settings.seed);
    experiment = await Experiment.begin(settings, messages);
    active = settings.method === 'lora' ? 'default' : null;
    for (const name of handedIn.keys()) io.loadAdapter(`${IN}/${name}`, experiment.model, { name });
    if (handedIn.size > 0) nn.setAdapter(experiment.model, active);
    const all = experiment.model.parameters().reduce((sum, { size }) => sum + size, 0);
    const isKept = readBytes('/runs/lab/checkpoint.safetensors') !== undefined;
    return { trainable: experiment.trainable, all, steps: experiment.steps, isKept };
  },

  train({ steps = Number.POSITIVE_INFINITY, goOn = false }) {
    if (experiment.settings.method === 'lora') nn.setAdapter(experiment.model, (active = 'default'));
    if (goOn) experiment.goOn();
    experiment.run(steps, tell).catch((error) => failed(error));
    return { step: experiment.step };
  },

  pause() {
    experiment.stop();
    return {};
  },

  moved: () => ({ layers: movedLayers(experiment) }),
  matrices: ({ path }) => matricesOf(experiment, path),

  classify: (about) => classify(classifier(), about),
  influence: (about) => influence(classifier(), about),

  async accuracy(dose) {
    experiment.stop();
    return dosed(experiment.model, dose, () => experiment.accuracy());
  },

  merge({ text }) {
    const { model } = experiment;
    experiment.stop();
    const ids = tokeniser.encode(text);
    const [apart, apartMs] = timed(() => logits(classifier(), ids));
    nn.mergeLoRA(model);
    const [merged, mergedMs] = timed(() => logits(classifier(), ids));
    nn.unmergeLoRA(model);
    const difference = Math.max(...apart.map((value, i) => Math.abs(value - merged[i])));
    return { difference, apartMs, mergedMs };
  },

  async adapterFiles() {
    const { model, maxLength } = experiment;
    const notes = await io.saveAdapter(OUT, model, { baseModel: 'mini' });
    await saveClassifierSettings(OUT, {
      labels: ['not spam', 'spam'],
      maxLength,
      padTokenId: PAD_TOKEN_ID,
      synthetic: messages?.synthetic ?? false,
    });
    const files = Object.fromEntries(
      namesIn(OUT).map((name) => [name, readBytes(`${OUT}/${name}`)!.slice()]),
    );
    return { files, notes };
  },

  loadAdapter({ name, files }) {
    const folder = `${IN}/${name}`;
    for (const [file, bytes] of Object.entries(files)) writeBytes(`${folder}/${file}`, bytes, false);
    io.loadAdapter(folder, experiment.model, { name });
    handedIn.set(name, readClassifierSettings(folder)?.maxLength);
    active = name;
    return {};
  },

  setAdapter({ name }) {
    nn.setAdapter(experiment.model, name);
    active = name;
    return {};
  },
};

/** The model, and the length that the messages of its active adapter had. */
function classifier(): Classifier {
  const { model, maxLength } = experiment;
  return { model, maxLength: (active !== null && handedIn.get(active)) || maxLength };
}

/** What it returns, and the milliseconds of the quickest of three. */
function timed<T>(work: () => T): [T, number] {
  let [result, best] = [work(), Number.POSITIVE_INFINITY];
  for (let i = 0; i < 3; i++) {
    const start = performance.now();
    result = work();
    best = Math.min(best, performance.now() - start);
  }
  return [result, best];
}

answerBy(lab, (files) => {
  for (const [path, bytes] of Object.entries(files)) writeBytes(path, bytes, false);
});
