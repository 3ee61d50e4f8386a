import { join } from 'node:path';
import { largest } from '../common/largest.ts';
import { type Curve, plotCurves, plotPanels } from '../common/plot.ts';
import type { Parts } from '../datasets/index.ts';
import { EVAL_FREQ, EVAL_ITER, type FineTuneResult } from './07-fine-tuning.ts';

/**
 * Losses and accuracies over the epochs as SVG: two files for each method, and where there are several, one with all of
 * them. The methods' axes are the same.
 *
 * @param stepsPerEpoch batches of one pass
 * @param subtitle which data they are, and the seed
 * @returns the paths
 */
export async function plotResults(
  folder: string,
  results: readonly Pick<FineTuneResult, 'method' | 'history'>[],
  { stepsPerEpoch, subtitle }: { stepsPerEpoch: number; subtitle: string },
): Promise<string[]> {
  const trained = results.filter(({ history }) => history.trainAccs.length > 0);
  const histories = trained.map(({ history }) => history);
  if (histories.length === 0) return [];
  const [{ trainAccs, examplesSeen }] = histories;
  const x = 'epochs';
  const epochs = { count: trainAccs.length, seen: examplesSeen, unit: 'examples' } as const;
  const losses = histories.flatMap(({ trainLosses, valLosses }) => [...trainLosses, ...valLosses]);
  const accuracies = histories.flatMap(({ trainAccs, valAccs }) => [...trainAccs, ...valAccs]);
  const lossAxes = { x, y: 'loss', epochs, yDomain: [0, roundedUp(largest(losses))] as [number, number] };
  const lowest = Math.floor(10 * accuracies.reduce((a, b) => Math.min(a, b), 0.9)) / 10;
  const accuracyAxes = { x, y: 'accuracy', epochs, yDomain: [lowest, 1] as [number, number] };

  const paths: string[] = [];
  const pathOf = (name: string) => {
    paths.push(join(folder, `${paths.length + 1}-${name}.svg`));
    return paths[paths.length - 1];
  };
  for (const { method, history } of trained) {
    const title = { title: `Fine-tuning: ${method}`, subtitle };
    const lossCurves = [
      lossCurve('training', history.trainLosses, stepsPerEpoch),
      lossCurve('validation', history.valLosses, stepsPerEpoch),
    ];
    await plotCurves(pathOf(`${method}-loss`), lossCurves, { ...title, ...lossAxes });
    const accuracyCurves = [
      accuracyCurve('training', history.trainAccs),
      accuracyCurve('validation', history.valAccs),
    ];
    await plotCurves(pathOf(`${method}-accuracy`), accuracyCurves, { ...title, ...accuracyAxes });
  }
  if (trained.length > 1) {
    await plotPanels(pathOf('comparison'), { title: 'The validation part, by method', subtitle }, [
      {
        ...lossAxes,
        curves: trained.map(({ method, history }) => lossCurve(method, history.valLosses, stepsPerEpoch)),
      },
      {
        ...accuracyAxes,
        curves: trained.map(({ method, history }) => accuracyCurve(method, history.valAccs)),
      },
    ]);
  }
  return paths;
}

/** How much of the validation part a point of the curves looks at, in words: the plots and the table may differ. */
export function pointsInWords({ valid }: Parts<readonly unknown[]>, batchSize: number): string {
  const seen = Math.min(valid.length, EVAL_ITER * batchSize);
  return seen === valid.length
    ? `each point: all ${seen} texts`
    : `each point: ${seen} of ${valid.length} texts`;
}

/** A loss for every 50th step. */
function lossCurve(name: string, losses: readonly number[], stepsPerEpoch: number): Curve {
  return { name, points: losses.map((y, i) => ({ x: (i * EVAL_FREQ + 1) / stepsPerEpoch, y })) };
}

/** An accuracy for the end of every epoch. */
function accuracyCurve(name: string, accuracies: readonly number[]): Curve {
  return { name, points: accuracies.map((y, i) => ({ x: i + 1, y })) };
}

/** To a fifth: where an axis can end. */
function roundedUp(y: number): number {
  return Math.ceil(5 * y) / 5;
}
