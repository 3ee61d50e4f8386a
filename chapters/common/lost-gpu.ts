import { DeviceLostError } from '../../lib/index.ts';
import { takeUpOwnCheckpoints } from './training.ts';

/**
 * Runs a program, and if the GPU is lost on the way, once more on the CPU: what it trains goes on from the checkpoints
 * that it has written itself, and lines that have been printed are not printed again.
 *
 * @param attempt the whole program, which prints through the function that it is handed
 * @param goToCpu leaves the GPU
 */
export async function runThroughLostGpu<Result>(
  attempt: (print: (line: string) => void) => Promise<Result>,
  print: (line: string) => void,
  goToCpu: () => Promise<unknown>,
): Promise<Result> {
  const printed = new Map<string, number>();
  try {
    return await attempt((line) => {
      printed.set(line, (printed.get(line) ?? 0) + 1);
      print(line);
    });
  } catch (error) {
    if (!(error instanceof DeviceLostError)) throw error;
    print(`The GPU was lost (${error.message}): going on from the last checkpoint on the CPU`);
  }
  await goToCpu();
  takeUpOwnCheckpoints(true);
  try {
    return await attempt((line) => {
      const left = printed.get(line) ?? 0;
      if (left > 0) printed.set(line, left - 1);
      else print(line);
    });
  } finally {
    takeUpOwnCheckpoints(false);
  }
}
