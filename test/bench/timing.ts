/** Measuring what runs for milliseconds to seconds: warm, several times, the median. */

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Something to measure; a promise is waited for, and its waiting is part of the time. */
export type Job = () => unknown;

async function secondsOf(job: Job): Promise<number> {
  const start = performance.now();
  const result = job();
  if (result instanceof Promise) await result;
  return (performance.now() - start) / 1000;
}

/**
 * Two seconds of calls, or one slow call: compiled code is in place, and memory that will be used again has
 * been touched once, which costs a page fault every 4 KB.
 */
async function warmUp(job: Job): Promise<void> {
  const end = performance.now() + 2000;
  while (performance.now() < end && (await secondsOf(job)) < 0.5);
}

/** Jobs beyond so many seconds take part in every tenth round only, and those beyond the second bound in one. */
const SLOW = 0.25;
const VERY_SLOW = 3;

/**
 * Seconds of single calls of each job, warm, the shortest first. The jobs take turns, in so many rounds that what else
 * the machine does, often for seconds at a time, meets all of them alike.
 */
export async function measureInTurns(jobs: readonly Job[], rounds = 40, calls = 2): Promise<number[][]> {
  const times: number[][] = jobs.map(() => []);
  const every: number[] = jobs.map(() => 1);
  for (const job of jobs) await warmUp(job);
  for (let round = 0; round < rounds; round++) {
    for (const [i, job] of jobs.entries()) {
      if (round % every[i] > 0) continue;
      // Threads of whoever was measured before shall be asleep.
      await new Promise((resolve) => setTimeout(resolve, 50));
      const first = await secondsOf(job);
      if (first > SLOW) every[i] = first > VERY_SLOW ? rounds : 10;
      if (first > VERY_SLOW) times[i].push(first);
      else for (let call = 0; call < calls; call++) times[i].push(await secondsOf(job));
    }
  }
  return times.map((seconds) => seconds.toSorted((a, b) => a - b));
}

/** Median seconds of a training step, when memory has stopped growing and the weights are packed. */
export async function measureStep(step: Job): Promise<number> {
  for (let i = 0; i < 3; i++) await secondsOf(step);
  const times: number[] = [];
  for (let i = 0; i < 7; i++) times.push(await secondsOf(step));
  return median(times);
}

/** Median seconds of `rounds` calls after two that warm up; of three calls if one takes half a second, and of one above three. */
export async function measure(job: Job, rounds = 11): Promise<number> {
  // Threads of whoever was measured before shall be asleep.
  await new Promise((resolve) => setTimeout(resolve, 100));
  const first = await secondsOf(job);
  if (first > 3) return first;
  if (first > 0.5) return median([first, await secondsOf(job), await secondsOf(job)]);
  await secondsOf(job);
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) times.push(await secondsOf(job));
  return median(times);
}
