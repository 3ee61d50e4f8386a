import { join } from 'node:path';
import { io, optim, UserError } from '../../../lib/index.ts';
import { END_OF_TEXT_ID } from '../../chapter02/index.ts';
import { countParameters } from '../../chapter04/index.ts';
import { modelConfig } from '../../chapter05/models.ts';
import { isProgram, runChapter } from '../../common/cli.ts';
import type { Notebook } from '../../common/notebook.ts';
import { inGroup, type OptionValues } from '../../common/options.ts';
import { plotCurves } from '../../common/plot.ts';

import { fingerprint, fingerprintOfWeights, runTraining, TRAINING_OPTIONS } from '../../common/training.ts';
import {
  carryOn,
  emptyHistory,
  newMini,
  type PretrainingHistory,
  pretrainSteps,
  weightsToSave,
} from './pretraining.ts';
import {
  holdOut,
  messageSource,
  readBook,
  readMessages,
  type Source,
  textSource,
} from './pretraining-text.ts';
import { Vocabulary } from './vocabulary.ts';

/** `npm run pretrain`: the texts, the training, the weights and a plot of the losses. */

/** The curves of the losses: on what is learnt from, and on what is held out from each source. */
async function plotLosses(path: string, { points }: PretrainingHistory): Promise<void> {
  const curve = (name: string, loss: (point: (typeof points)[number]) => number) => ({
    name,
    points: points.map((point) => ({ x: point.tokens / 1e6, y: loss(point) })),
  });
  const held = Object.keys(points[0].heldOut).map((name) =>
    curve(`held out: ${name}`, (point) => point.heldOut[name]),
  );
  await plotCurves(path, [curve('training', (point) => point.training), ...held], {
    title: 'Pretraining mini',
    x: 'million tokens seen',
    y: 'loss',
  });
}

export const OPTIONS = {
  ...inGroup('Data', {
    text: {
      type: 'path',
      access: 'read',
      help: 'a plain text to learn from, e.g. public-domain novels',
      placeholder: 'FILE',
    },
    sms: {
      type: 'path',
      access: 'read',
      help: 'SMSSpamCollection, for messages as a part of the batches',
      placeholder: 'FILE',
    },
    smsShare: {
      type: 'number',
      help: 'share of the windows that messages have where there is a text as well',
      default: 0.25,
      above: 0,
      max: 0.9,
      counts: [{ text: 'given', sms: 'given' }],
    },
    weights: {
      type: 'path',
      access: 'read',
      help: 'weights of a mini to carry on from, instead of random ones',
      placeholder: 'FILE',
    },
  }),
  ...inGroup('Output', {
    out: {
      type: 'path',
      access: 'writeFolder',
      help: 'folder for checkpoints, weights and the plot of the losses',
      default: 'runs/pretrain',
      placeholder: 'DIR',
    },
  }),
  ...inGroup('Training', {
    steps: { type: 'number', help: 'steps in all', default: 1600, min: 1, integer: true },
    batchSize: { type: 'number', help: 'windows per step', default: 16, min: 1, integer: true },
    length: { type: 'number', help: 'tokens per window', default: 128, min: 2, max: 256, integer: true },
    lr: { type: 'number', help: 'peak learning rate', default: 3e-3, above: 0 },
    seed: { type: 'number', help: 'of weights and batches', default: 123, integer: true },
    evalEvery: {
      type: 'number',
      help: 'steps between two looks at the losses',
      default: 100,
      min: 1,
      integer: true,
    },
    ...TRAINING_OPTIONS,
  }),
} as const;

/** Reads the texts, trains, and writes the weights and a plot of the losses. */
async function run(nb: Notebook, options: OptionValues<typeof OPTIONS>): Promise<void> {
  const { batchSize, length, seed, steps, out, smsShare } = options;
  const print = (line: string) => nb.note(line);

  const training: Source[] = [];
  const validation: Source[] = [];
  const add = (make: (part: 'train' | 'heldOut') => Source) => {
    training.push(make('train'));
    validation.push(make('heldOut'));
  };
  if (options.text) {
    const parts = holdOut(await readBook(options.text), 'tokens', length + 1);
    add((part) => textSource('text', 1 - smsShare, parts[part]));
  }
  if (options.sms) {
    const { ham, spam } = await readMessages(options.sms, seed);
    const hamParts = holdOut(ham, 'ordinary messages', 1);
    const spamParts = holdOut(spam, 'spam messages', 1);
    add((part) => messageSource('ham', 0.76 * smsShare, hamParts[part]));
    add((part) => messageSource('spam', 0.24 * smsShare, spamParts[part]));
  }
  if (training.length === 0)
    throw new UserError('nothing to learn from: give --text FILE, --sms FILE or both');
  const everything = [...training, ...validation].map((source) => source.ids());
  const vocabulary = new Vocabulary([...everything, [END_OF_TEXT_ID]], modelConfig('mini').vocabSize);

  const model = newMini(seed, vocabulary.ids.length);
  if (options.weights) carryOn(model, vocabulary, await io.loadTensors(options.weights));
  const optimizer = new optim.AdamW(model.parameters(), {
    lr: options.lr,
    weightDecay: 0.1,
    betas: [0.9, 0.95],
  });
  const [parameters, ids] = [countParameters(model), vocabulary.ids.length].map((n) =>
    n.toLocaleString('en'),
  );
  const texts = training
    .map(({ name, tokens }) => `${name} ${tokens.toLocaleString('en')} tokens`)
    .join(', ');
  print(`${parameters} parameters over ${ids} ids; ${texts}`);
  const facts = {
    'the texts': fingerprint([...training, ...validation].map((source) => [...source.ids()])),
    'the weights to carry on from': await fingerprintOfWeights(options.weights),
  };

  const history = await runTraining(
    {
      ...{ label: 'pretraining', folder: out, options, facts, print },
      ...{ model, optimizer, totalSteps: steps, history: emptyHistory() },
    },
    (place) => {
      const { evalEvery, lr: peakLr } = options;
      const settings = {
        vocabulary,
        training,
        validation,
        steps,
        batchSize,
        length,
        peakLr,
        seed,
        evalEvery,
      };
      return pretrainSteps(model, optimizer, { ...settings, print }, place);
    },
  );
  const files = { weights: join(out, 'model.safetensors'), plot: join(out, 'losses.svg') };
  await io.saveTensors(files.weights, weightsToSave(model, vocabulary), {
    dtype: 'F16',
    metadata: { format: 'pt' },
  });
  await plotLosses(files.plot, history);
  nb.result(`Weights in ${files.weights}, losses in ${files.plot}`);
  nb.figure('history', history.points);
}

if (isProgram(import.meta.url)) {
  await runChapter({
    chapter: 'pretrain',
    folder: '.',
    summary:
      'Pretrains mini, chapter 5 at length. Stop it when you like: with --resume it goes on where it was.',
    options: OPTIONS,
    examples: ['--text novels.txt --sms SMSSpamCollection'],
    run,
  });
}
