import { join } from 'node:path';
import { obtainBase } from '../chapter05/index.ts';
import {
  checkLength,
  checkRank,
  classifierOf,
  defaultEpochs,
  EXAMPLES,
  isOwnData,
  plotResults,
  SPAM_OPTIONS,
  type SpamOptions,
  saveAdapter,
} from '../chapter06/index.ts';
import { isProgram, runChapter } from '../common/cli.ts';
import { showPeakMemory } from '../common/engine.ts';
import type { Notebook } from '../common/notebook.ts';
import { inGroup } from '../common/options.ts';
import { onData } from '../common/plot.ts';
import { checkRun } from '../common/training.ts';
import { showWhatLoRAIs } from './01-what-lora-is.ts';
import { showDataset } from './02-preparing-the-dataset.ts';
import { showModel } from './03-initialising-the-model.ts';
import { freezeAndWrap, showTraining, showWrapped } from './04-fine-tuning-with-lora.ts';
import { showMerging } from './05-merging.ts';
import { showWhatChanged } from './06-looking-inside.ts';
import { parseRanks, showRanks } from './07-ranks.ts';

export const OPTIONS = {
  ...SPAM_OPTIONS,
  ...inGroup('Training', {
    ranks: {
      type: 'string',
      help: 'also train at each of these ranks, and compare losses and accuracies',
      placeholder: 'N,N,…',
    },
  }),
} as const;

/** The mission's notebook, section by section. */
export async function run(nb: Notebook, options: SpamOptions & { ranks?: string }): Promise<void> {
  const { seed, rank, alpha } = options;
  const ranks = options.ranks === undefined ? undefined : parseRanks(options.ranks);
  const folder = join(options.out, 'appendixE');
  isOwnData(options); // refuses what is for a table, where there is none
  const base = await obtainBase({ ...options, print: (line) => nb.note(line) });
  checkLength(options.maxLength, base);
  for (const each of [rank, ...(ranks ?? [])]) checkRank(base.embDim, each);

  nb.section('E.1 What LoRA is: x (W + AB) = x W + x A B');
  showWhatLoRAIs(nb, { rank, alpha });

  nb.section('E.2 Preparing the dataset');
  const data = await showDataset(nb, options, base);
  const { datasets, labels, loaders, source, synthetic, facts } = data;
  const totalSteps = (options.epochs ?? defaultEpochs(base.size)) * loaders.train.length;
  const planned = { facts, totalSteps, print: (line: string) => nb.note(line) };
  await checkRun({ folder, options, ...planned });
  for (const each of ranks ?? []) {
    const own = { ...options, rank: each };
    await checkRun({ folder: join(folder, `rank-${each}`), options: own, ...planned });
  }

  nb.section('E.3 Initialising the model');
  const model = await showModel(nb, loaders, options, { base, classes: labels.length });
  const classifier = classifierOf(model, base.padTokenId);

  nb.section('E.4 Parameter-efficient fine-tuning with LoRA');
  freezeAndWrap(nb, model, { rank, alpha, modules: options.modules });
  await showWrapped(nb, classifier, loaders, seed);
  const isTrained = (options.epochs ?? defaultEpochs(base.size)) > 0;
  if (isTrained) {
    const history = await showTraining(nb, classifier, loaders, options, { ...data, size: base.size });
    const plots = await plotResults(folder, [{ method: 'lora', history }], {
      stepsPerEpoch: loaders.train.length,
      subtitle: onData(source, seed),
    });
    nb.result(`Plots: ${plots.join(', ')}`);
  } else nb.note('No epochs: nothing is trained, and the accuracies stay as they are.');

  const { maxLength } = datasets.train;
  const settings = { labels, maxLength, padTokenId: base.padTokenId, synthetic };
  await saveAdapter(nb, join(folder, 'adapter'), model, { ...options, hub: base.hub }, settings);

  nb.section('Merging: W + AB as one matrix');
  const [ids] = datasets.test.get(0); // [t]
  showMerging(nb, classifier, ids.unsqueeze(0));

  if (isTrained) {
    nb.section('Looking inside: what the adapter has changed');
    await showWhatChanged((line) => nb.note(line), model, folder, EXAMPLES.spam);
  }
  if (ranks) {
    nb.section('Loss and accuracy by rank');
    await showRanks(nb, data, options, { base, ranks });
  }
  showPeakMemory(nb);
}

if (isProgram(import.meta.url)) {
  await runChapter({
    chapter: 'appendixE',
    summary:
      'LoRA step by step: what it is, the data, the model, freezing, wrapping, training, evaluating, merging.',
    options: OPTIONS,
    examples: ['--data stand-in', '--rank 2 --alpha 4', '--ranks 1,4,16,64'],
    run,
  });
}
