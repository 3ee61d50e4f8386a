import { join } from 'node:path';
import type { Tensor } from '../../lib/index.ts';
import { saveTensors } from '../../lib/io/checkpoint.ts';
import type { GPTModel } from '../chapter04/index.ts';
import type { Notebook } from '../common/notebook.ts';
import { plotCurves } from '../common/plot.ts';
import { formatTable } from '../common/table.ts';
import { type FineTuningHistory, percent } from './04-fine-tuning.ts';
import type { FineTuneResult } from './fine-tune.ts';

/** The table that ends a run, a row for each method. */
export function showResults(nb: Notebook, results: readonly FineTuneResult[]): void {
  const header = ['method', 'trainable', 'train', 'valid', 'test', 'seconds', 'peak memory'];
  const rows = results.map(({ method, trainable, accuracy, seconds }) => [
    method,
    trainable.toLocaleString('en'),
    percent(accuracy.train),
    percent(accuracy.valid),
    percent(accuracy.test),
    seconds.toFixed(1),
    `${peakMemoryGB().toFixed(2)} GB`,
  ]);
  nb.note(formatTable(header, rows));
  nb.figure(
    'results',
    results.map(({ method, trainable, accuracy, seconds, history }) => ({
      method,
      trainable,
      accuracy,
      seconds,
      history,
    })),
  );
  nb.figure('peakMemoryGB', peakMemoryGB());
}

/** The most memory this process has held so far, in GB (10⁹ bytes). */
export function peakMemoryGB(): number {
  return (process.resourceUsage().maxRSS * 1024) / 1e9;
}

/** Loss and accuracy over the epochs as SVG, one file each. */
export async function plotHistory(
  folder: string,
  method: string,
  history: FineTuningHistory,
): Promise<string[]> {
  const epochs = history.trainAccs.length;
  const curve = (name: string, values: readonly number[], first: number) => ({
    name,
    points: values.map((y, i) => ({ x: first + ((epochs - first) * i) / Math.max(1, values.length - 1), y })),
  });
  const loss = join(folder, `${method}-loss.svg`);
  const accuracy = join(folder, `${method}-accuracy.svg`);
  await plotCurves(
    loss,
    [curve('training', history.trainLosses, 0), curve('validation', history.valLosses, 0)],
    { title: `Fine-tuning: ${method}`, x: 'epochs', y: 'loss' },
  );
  await plotCurves(
    accuracy,
    [curve('training', history.trainAccs, 1), curve('validation', history.valAccs, 1)],
    { title: `Fine-tuning: ${method}`, x: 'epochs', y: 'accuracy' },
  );
  return [loss, accuracy];
}

/**
 * The adapter: every LoRA A and B, and the random head they were trained on, which is in no other file. With the
 * model's own weights beside it, that is all of the fine-tuned classifier.
 */
export async function saveAdapter(
  path: string,
  model: GPTModel,
  about: Record<string, string>,
): Promise<void> {
  const adapter: Record<string, Tensor> = {};
  for (const [name, tensor] of Object.entries(model.stateDict())) {
    if (name.includes('.lora.') || name.startsWith('out_head.')) adapter[name] = tensor;
  }
  await saveTensors(path, adapter, { metadata: { format: 'pt', ...about } });
}
