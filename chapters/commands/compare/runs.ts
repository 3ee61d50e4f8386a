import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { io, UserError } from '../../../lib/index.ts';
import { MINI_WEIGHTS } from '../../chapter05/index.ts';
import {
  defaultLearningRate,
  defaultSchedule,
  hashOf,
  type PreparedMessages,
} from '../../chapter06/index.ts';
import { Interrupted } from '../../common/command-line.ts';
import type { Order, Report } from './child.ts';
import { BASES, describeMethod, type MethodName } from './methods.ts';
import { BATCH_SIZE, type Circumstances, MODEL, type Result, type Task } from './one-run.ts';

/** Every method from every base with every seed. All methods of a seed come before the next: a table can be made early. */
export function plan(methods: readonly MethodName[], seeds: readonly number[]): Task[] {
  return seeds.flatMap((seed) => BASES.flatMap((base) => methods.map((method) => ({ method, base, seed }))));
}

/** What the numbers depend on beyond the options: the messages and the weights themselves, whatever they are called. */
export interface Contents {
  messages: string;
  weights: string;
}

export async function contentsOf({ parts }: PreparedMessages): Promise<Contents> {
  return {
    messages: hashOf(parts),
    weights: io.sha256(await io.readFileOrExplain(MINI_WEIGHTS, 'the weights of mini')),
  };
}

/** All that a run's result depends on: the name under which it is kept. */
export function identify(task: Task, circumstances: Circumstances, { messages, weights }: Contents): object {
  const { method, lora } = describeMethod(task.method);
  const { splitSeed, maxLength = null, epochs } = circumstances;
  return {
    ...{ base: task.base, method: task.method, seed: task.seed },
    ...(method === 'lora' && { lora }),
    ...{ lr: defaultLearningRate(MODEL, method), schedule: defaultSchedule(MODEL) },
    ...{ epochs, batchSize: BATCH_SIZE, maxLength, splitSeed, messages },
    ...(task.base === 'pretrained' && { weights }),
  };
}

const CHILD = fileURLToPath(new URL('./child.ts', import.meta.url));

/**
 * Makes a run in a process of its own, so that its memory is its own too. (Linux counts what the parent had at that
 * moment into a child's peak; this one has far less than a model in training.)
 *
 * @param stop ends the process, and the promise with an error
 * @throws UserError if it ends without a result
 */
export function runApart(
  order: Order,
  stop: AbortSignal,
  onProgress: (line: string) => void,
): Promise<Result> {
  const child = fork(CHILD, [JSON.stringify(order)], { signal: stop, killSignal: 'SIGKILL' });
  let result: Result | undefined;
  child.on('message', (report: Report) => {
    if ('progress' in report) onProgress(report.progress);
    else result = report.result;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (result) return resolve(result);
      const { method, base, seed } = order.task;
      const run = `the run of ${method} on ${base} weights with seed ${seed}`;
      const how = signal ?? `exit code ${code}`;
      reject(new UserError(`${run} ended without a result (${how}); the finished ones are kept`));
    });
  });
}

/**
 * Does what can be stopped by Ctrl-C or `kill`.
 * @throws Interrupted if it was
 */
export async function untilStopped<T>(work: (stop: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let received: 'SIGINT' | 'SIGTERM' | undefined;
  const stop = (signal: NodeJS.Signals) => {
    received = signal as 'SIGINT' | 'SIGTERM';
    controller.abort();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  try {
    return await work(controller.signal);
  } catch (error) {
    if (!received) throw error;
    const message = 'stopped; the finished runs are kept, and the same command goes on with the next';
    throw new Interrupted(message, received);
  } finally {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  }
}
