/** Appendix D: a small training with its learning rates, and the norms of its gradients before and after clipping. */

import { clipGradients, cosineLearningRate, warmupStepsOf } from '../../../chapters/appendixD/index.ts';
import { BytePairTokeniser } from '../../../chapters/chapter02/09-byte-pair-encoding.ts';
import { GPTDatasetV1 } from '../../../chapters/chapter02/index.ts';
import { GPTModel } from '../../../chapters/chapter04/index.ts';
import { calcLossBatch } from '../../../chapters/chapter05/01-text-and-loss.ts';
import { largest } from '../../../chapters/common/largest.ts';
import { STORY } from '../../../chapters/datasets/story.ts';
import { DataLoader, manualSeed, optim } from '../../../lib/index.ts';
import { short } from '../client/draw.ts';
import { type Drawn, drawn, svg } from './drawn.ts';
import type { InputOf } from './pictures.ts';

const CONTEXT = 16;
const TINY = { vocabSize: 257, contextLength: CONTEXT, embDim: 16, nHeads: 2, nLayers: 1 };

export interface Course {
  rates: number[];
  /** Of all gradients together: as `backward` leaves them, and as the optimiser gets them. */
  norms: number[];
  clipped: number[];
  losses: number[];
}

/** Appendix D's loop on the bytes of a text. It clips after the warm-up, as the book does. */
export function train({ steps, peak, warmup, limit }: InputOf<'schedule'>, text: string): Course {
  manualSeed(123);
  const pieces = new GPTDatasetV1(text, BytePairTokeniser.train(text, 257), CONTEXT, CONTEXT);
  const loader = new DataLoader(pieces, { batchSize: 8, shuffle: true, dropLast: true });
  const model = new GPTModel({ ...TINY, dropRate: 0, qkvBias: false });
  const optimizer = new optim.AdamW(model.parameters(), { lr: peak, weightDecay: 0.1 });
  const warmupSteps = warmupStepsOf(steps, warmup);
  const schedule = {
    initialLr: peak / 100,
    peakLr: peak,
    minLr: peak / 1000,
    warmupSteps,
    totalSteps: steps,
  };
  const course: Course = { rates: [], norms: [], clipped: [], losses: [] };
  for (const [inputs, targets] of loader) {
    const step = course.rates.length;
    if (step === steps) break;
    optimizer.zeroGrad();
    optimizer.lr = cosineLearningRate(step, schedule);
    const loss = calcLossBatch(inputs, targets, model);
    loss.backward();
    const norm = clipGradients(model, step < warmupSteps ? Number.POSITIVE_INFINITY : limit);
    course.rates.push(optimizer.lr);
    course.norms.push(norm);
    course.clipped.push(clipGradients(model, Number.POSITIVE_INFINITY));
    course.losses.push(loss.item());
    optimizer.step();
  }
  return course;
}

export async function drawSchedule(input: InputOf<'schedule'>): Promise<Drawn> {
  const { rates, norms, clipped, losses } = train(input, await STORY.standIn.make());
  return drawn(
    'div',
    {},
    chart('Learning rate', [rates]),
    chart('Gradient norm: thin as it was, thick after clipping', [norms, clipped]),
    chart('Loss', [losses]),
  );
}

const [WIDTH, HEIGHT, TOP, LEFT] = [340, 110, 20, 48];

/** Values over the steps, from 0 to the largest; the last line is the thick one. */
export function chart(title: string, lines: readonly (readonly number[])[]): Drawn {
  const most = largest(lines.flat());
  const steps = lines[0].length;
  const x = (step: number) => LEFT + (step / Math.max(1, steps - 1)) * (WIDTH - LEFT - 8);
  const y = (value: number) => HEIGHT - (value / most) * (HEIGHT - TOP);
  const paths = lines.map((values, i) => {
    const points = values.map((value, step) => `${x(step).toFixed(2)} ${y(value).toFixed(2)}`);
    return drawn('path', { class: i === lines.length - 1 ? 'thick' : 'thin', d: `M${points.join('L')}` });
  });
  const axes = drawn('path', {
    class: 'axes',
    d: `M${LEFT} ${TOP}L${LEFT} ${HEIGHT}L${WIDTH - 8} ${HEIGHT}`,
  });
  const text = (at: number, down: number, words: string, anchor = 'end') =>
    drawn('text', { x: at, y: down, 'text-anchor': anchor }, words);
  const label = `${title}: at most ${short(most)}, at the end ${short(lines.at(-1)!.at(-1)!)}`;
  const marks = [text(LEFT - 6, TOP + 6, short(most)), text(LEFT - 6, HEIGHT, '0')];
  const end = text(WIDTH - 8, HEIGHT + 14, `step ${steps}`);
  return svg(label, WIDTH, HEIGHT + 20, axes, ...paths, text(LEFT, 12, title, 'start'), ...marks, end);
}
