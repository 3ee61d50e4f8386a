import { join } from 'node:path';
import { type Curve, plotCurves } from '../common/plot.ts';
import { EVAL_FREQ, type FineTuneResult } from './07-fine-tuning.ts';

/**
 * Losses and accuracies over the epochs as SVG, two files for each method, and one that compares the methods where
 * there are several.
 * @param stepsPerEpoch batches of one pass
 * @returns the paths
 */
export async function plotResults(
  folder: string,
  results: readonly Pick<FineTuneResult, 'method' | 'history'>[],
  stepsPerEpoch: number,
): Promise<string[]> {
  const trained = results.filter(({ history }) => history.trainAccs.length > 0);
  const paths: string[] = [];
  const plot = async (
    name: string,
    curves: Curve[],
    title: string,
    y: string,
    epochs: number,
    seen: number,
    yDomain?: [number, number],
  ) => {
    const path = join(folder, `${paths.length + 1}-${name}.svg`);
    await plotCurves(path, curves, {
      title,
      x: 'epochs',
      y,
      yDomain,
      epochs: { count: epochs, examples: seen },
    });
    paths.push(path);
  };
  for (const { method, history } of trained) {
    const epochs = history.trainAccs.length;
    const title = `Fine-tuning: ${method}`;
    const losses = [
      lossCurve('training', history.trainLosses, stepsPerEpoch),
      lossCurve('validation', history.valLosses, stepsPerEpoch),
    ];
    await plot(`${method}-loss`, losses, title, 'loss', epochs, history.examplesSeen);
    const accuracies = [
      accuracyCurve('training', history.trainAccs),
      accuracyCurve('validation', history.valAccs),
    ];
    const lowest = Math.min(0.5, ...history.trainAccs, ...history.valAccs); // chance, or worse
    await plot(`${method}-accuracy`, accuracies, title, 'accuracy', epochs, history.examplesSeen, [
      lowest,
      1,
    ]);
  }
  if (trained.length > 1) {
    const { trainAccs, examplesSeen } = trained[0].history;
    const curves = trained.map(({ method, history }) => lossCurve(method, history.valLosses, stepsPerEpoch));
    await plot(
      'comparison',
      curves,
      'Validation loss of each method',
      'loss',
      trainAccs.length,
      examplesSeen,
    );
  }
  return paths;
}

/** A loss for every 50th step. */
function lossCurve(name: string, losses: readonly number[], stepsPerEpoch: number): Curve {
  return { name, points: losses.map((y, i) => ({ x: (i * EVAL_FREQ + 1) / stepsPerEpoch, y })) };
}

/** An accuracy for the end of every epoch. */
function accuracyCurve(name: string, accuracies: readonly number[]): Curve {
  return { name, points: accuracies.map((y, i) => ({ x: i + 1, y })) };
}
