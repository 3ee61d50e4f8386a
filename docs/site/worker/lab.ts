/** The worker of the lab: the model, its training, and the answers to what the page asks. */

import { tokeniser } from '../../../chapters/chapter05/index.ts';
import { saveClassifierSettings } from '../../../chapters/chapter06/classifier-file.ts';
import { PAD_TOKEN_ID, readClassifierSettings } from '../../../chapters/chapter06/index.ts';
import { largest } from '../../../chapters/common/largest.ts';
import { io, nn, UserError } from '../../../lib/index.ts';
import { createHash } from '../node/crypto.ts';
import { namesIn, onWritten, readBytes, remove, writeBytes } from '../node/store.ts';
import { fetchMini, HANDED_IN, serve, startEngine, tell } from './answering.ts';
import { type Classifier, classify, influence, logits } from './answers.ts';
import { dosed } from './dose.ts';
import { Experiment, type Messages, readMessages } from './experiment.ts';
import type { Lab, Settings } from './lab-messages.ts';
import { matricesOf, movedLayers } from './matrices.ts';

let messages: (Messages & { seed: number }) | undefined;
let experiment: Experiment | undefined;
let key = '';
/** The user's own messages; without them the stand-in. */
let file: { path: string; fingerprint: string } | undefined;
/** Adapters that were handed in, with the length of their messages if they say it: they are put on each new model. */
const handedIn = new Map<string, number | undefined>();
let active: string | null = 'default';
let hasMini = false;
const [OUT, CHECKPOINTS] = ['/tmp/adapter', '/tmp/checkpoints'];
const LAST = `${CHECKPOINTS}/checkpoint.safetensors`;

onWritten((path, bytes) => {
  if (path === LAST) tell({ kept: { key, step: begun().step, checkpoint: bytes.slice() } });
});

const lab: Lab = {
  async open({ engine: wanted }) {
    requirePause();
    const engine = await startEngine(wanted);
    if (!hasMini) await fetchMini();
    hasMini = true;
    return engine;
  },

  async useData({ name, bytes }) {
    requirePause();
    const fingerprint = createHash('sha256').update(bytes).digest('hex');
    const given = { path: `${HANDED_IN.data}/${name}`, fingerprint };
    writeBytes(given.path, bytes, false);
    const seed = messages?.seed ?? 42;
    messages = { ...(await readMessages(given, seed)), seed };
    if (file && file.path !== given.path) remove(file.path);
    file = given;
    return { messages: messages.datasets.train.length };
  },

  async reset(settings: Settings) {
    requirePause();
    if (messages?.seed !== settings.seed) {
      messages = { ...(await readMessages(file, settings.seed)), seed: settings.seed };
    }
    const next = await Experiment.begin(settings, messages);
    const own = settings.method === 'lora' ? 'default' : null;
    for (const name of handedIn.keys()) io.loadAdapter(folderOf(name), next.model, { name });
    if (handedIn.size > 0) nn.setAdapter(next.model, own);
    [experiment, active] = [next, own];
    remove(CHECKPOINTS);
    key = createHash('sha256').update(JSON.stringify(next.facts)).digest('hex');
    const all = next.model.parameters().reduce((sum, { size }) => sum + size, 0);
    const { trainable, steps } = next;
    const adapters = [...(own ? [own] : []), ...handedIn.keys()];
    const count = messages.datasets.train.length;
    return { trainable, all, steps, messages: count, key, adapters, active, ...sourceOf(messages) };
  },

  async train({ steps = Number.POSITIVE_INFINITY }) {
    const { model, settings } = begun();
    requirePause();
    if (settings.method === 'lora') nn.setAdapter(model, 'default');
    active = settings.method === 'lora' ? 'default' : null;
    return begun().run(steps, tell, CHECKPOINTS);
  },

  goOn({ checkpoint }) {
    requirePause();
    remove(CHECKPOINTS);
    writeBytes(LAST, checkpoint, false);
    return { losses: begun().goOn(CHECKPOINTS) };
  },

  pause: () => experiment?.stop(),
  moved: () => movedLayers(begun()),
  matrices: ({ path }) => matricesOf(begun(), path),
  classify: (about) => classify(classifier(), about),
  influence: (about) => influence(classifier(), about),

  async accuracy(dose) {
    requirePause();
    return dosed(begun().model, dose, () => begun().accuracy());
  },

  merge({ text }) {
    requirePause();
    const { model } = begun();
    const ids = tokeniser.encode(text);
    const [apart, apartMs] = timed(() => logits(classifier(), ids));
    nn.mergeLoRA(model);
    try {
      const [merged, mergedMs] = timed(() => logits(classifier(), ids));
      const difference = largest(apart.map((value, i) => Math.abs(value - merged[i])));
      return { difference, apartMs, mergedMs };
    } finally {
      nn.unmergeLoRA(model);
    }
  },

  async adapterFiles() {
    requirePause();
    const { model } = begun();
    remove(OUT);
    const notes = await io.saveAdapter(OUT, model, { baseModel: 'mini' });
    await saveClassifierSettings(OUT, {
      labels: ['not spam', 'spam'],
      maxLength: classifier().maxLength,
      padTokenId: PAD_TOKEN_ID,
      synthetic: messages?.synthetic ?? false,
    });
    const files = Object.fromEntries(
      namesIn(OUT).map((name) => [name, readBytes(`${OUT}/${name}`)!.slice()]),
    );
    return { files, notes };
  },

  loadAdapter({ name, files }) {
    requirePause();
    const folder = folderOf(name);
    for (const [path, bytes] of Object.entries(files)) writeBytes(`${folder}/${path}`, bytes, false);
    try {
      const length = readClassifierSettings(folder)?.maxLength;
      io.loadAdapter(folder, begun().model, { name });
      handedIn.set(name, length);
    } catch (error) {
      remove(folder);
      throw error;
    }
    active = name;
  },

  setAdapter({ name }) {
    requirePause();
    nn.setAdapter(begun().model, name);
    active = name;
  },
};

const folderOf = (adapter: string): string => `${HANDED_IN.adapters}/${adapter}`;
const sourceOf = ({ source, synthetic }: Messages) => ({
  source: source.replace(`${HANDED_IN.data}/`, ''),
  synthetic,
});

/** @throws UserError while it trains: a model that changes under a question, or a question that changes the model */
function requirePause(): void {
  if (experiment?.isTraining) throw new UserError('it is training: pause it first');
}

function begun(): Experiment {
  if (!experiment) throw new UserError('there is no model yet');
  return experiment;
}

/** The model, and the length that the messages of its active adapter had. */
function classifier(): Classifier {
  const { model, maxLength } = begun();
  return { model, maxLength: (active !== null && handedIn.get(active)) || maxLength };
}

/** The result of some work, and the milliseconds of the quickest of three tries. */
function timed<T>(work: () => T): [T, number] {
  let [result, best] = [work(), Number.POSITIVE_INFINITY];
  for (let i = 0; i < 3; i++) {
    const start = performance.now();
    result = work();
    best = Math.min(best, performance.now() - start);
  }
  return [result, best];
}

serve(lab, ['train', 'pause']);
