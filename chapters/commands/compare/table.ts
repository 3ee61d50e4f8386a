import { defaultLearningRate } from '../../chapter06/index.ts';
import type { Parts } from '../../datasets/index.ts';
import { type Base, describeMethod, type MethodName } from './methods.ts';
import { MODEL, type Result, type Task } from './one-run.ts';

/** Runs with several seeds as one row: the mean of each measure and its spread. */

export interface Measure {
  mean: number;
  /** The sample's standard deviation over the seeds (divided by n − 1); undefined for a single run. */
  spread?: number;
}

export interface Row {
  base: Base;
  method: MethodName;
  /** The highest learning rate of the schedule. */
  lr: number;
  runs: number;
  trained: number;
  all: number;
  accuracy: Parts<Measure>;
  seconds: Measure;
  processorSeconds: Measure;
  peakMemory: Measure;
  /** In how many runs both examples of chapter 6 came out right; undefined where the data are not spam and ham. */
  examplesRight?: number;
}

export function measure(values: readonly number[]): Measure {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  if (values.length < 2) return { mean };
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, spread: Math.sqrt(squares / (values.length - 1)) };
}

/** A row for each method and base, in the order in which they come. */
export function tableOf(runs: readonly { task: Task; result: Result }[]): Row[] {
  const groups = new Map<string, { task: Task; results: Result[] }>();
  for (const { task, result } of runs) {
    const name = `${task.base} ${task.method}`;
    const group = groups.get(name);
    if (group) group.results.push(result);
    else groups.set(name, { task, results: [result] });
  }
  return Array.from(groups.values(), ({ task, results }) => rowOf(task, results));
}

function rowOf({ base, method }: Task, results: readonly Result[]): Row {
  const [{ trained, all, examples }] = results;
  const over = (value: (result: Result) => number) => measure(results.map(value));
  return {
    ...{ base, method, trained, all, runs: results.length },
    lr: defaultLearningRate(MODEL, describeMethod(method).method),
    accuracy: {
      train: over(({ accuracy }) => accuracy.train),
      valid: over(({ accuracy }) => accuracy.valid),
      test: over(({ accuracy }) => accuracy.test),
    },
    seconds: over(({ seconds }) => seconds),
    processorSeconds: over(({ processorSeconds }) => processorSeconds),
    peakMemory: over(({ peakMemory }) => peakMemory),
    examplesRight: examples && results.filter(areRight).length,
  };
}

function areRight({ examples }: Result): boolean {
  return examples !== undefined && examples.spam > 0.5 && examples.ham <= 0.5;
}

export const HEADER = [
  'base',
  'method',
  'trained',
  'of all',
  'test',
  'validation',
  'seconds',
  'processor seconds',
  'memory',
];

/** A row's cells, as the terminal and the page show them. */
export function cellsOf(row: Row): string[] {
  const { base, method, trained, all, accuracy, seconds, processorSeconds, peakMemory } = row;
  return [
    base,
    method,
    trained.toLocaleString('en'),
    `${((100 * trained) / all).toFixed(trained < all / 1000 ? 3 : 1)}%`,
    shown(accuracy.test, 100, 1, '%'),
    shown(accuracy.valid, 100, 1, '%'),
    shown(seconds, 1, 0),
    shown(processorSeconds, 1, 0),
    shown(peakMemory, 1e-6, 0, ' MB'),
  ];
}

/** `97.3 ± 0.5%`. */
export function shown({ mean, spread }: Measure, scale: number, digits: number, unit = ''): string {
  const number = (value: number) => (scale * value).toFixed(digits);
  return spread === undefined ? `${number(mean)}${unit}` : `${number(mean)} ± ${number(spread)}${unit}`;
}
