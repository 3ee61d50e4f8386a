import { join } from 'node:path';
import { isProgram, runChapter } from '../common/cli.ts';
import type { Notebook } from '../common/notebook.ts';
import { checkRun } from '../common/training.ts';
import { type ShownWarmup, showWarmup } from './01-warmup.ts';
import { showCosineDecay } from './02-cosine-decay.ts';
import { showClipping } from './03-clipping.ts';
import { showTraining } from './04-training.ts';
import { OPTIONS, type ScheduleRunOptions } from './options.ts';

/** The three additions one by one: sections D.1 to D.3. */
export async function showAdditions(
  nb: Notebook,
  options: Omit<ScheduleRunOptions, 'slow'>,
): Promise<ShownWarmup> {
  nb.section('D.1 Learning rate warm-up');
  const shown = await showWarmup(nb, options);
  const folder = join(options.out, 'appendixD');
  await checkRun({ ...shown, folder, options, print: (line) => nb.note(line) });

  nb.section('D.2 Cosine decay');
  const lastBatch = await showCosineDecay(nb, shown, options);

  nb.section('D.3 Gradient clipping');
  showClipping(nb, lastBatch, options.seed);
  return shown;
}

/** Appendix D: the additions, then chapter 5's loop with all three. */
export async function run(nb: Notebook, options: ScheduleRunOptions): Promise<void> {
  const shown = await showAdditions(nb, options);

  nb.section('D.4 The modified training function');
  await showTraining(nb, shown, options);
}

if (isProgram(import.meta.url)) {
  await runChapter({
    chapter: 'appendixD',
    summary: "Warm-up, cosine decay and gradient clipping, added to chapter 5's training loop.",
    options: OPTIONS,
    run: (nb, options) => run(nb, options as ScheduleRunOptions),
  });
}
