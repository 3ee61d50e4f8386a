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

/** A few calls, or one slow call: compiled code is in place, and memory that will be used again has been touched once. */
async function warmUp(job: Job): Promise<void> {
  const end = performance.now() + 150;
  while (performance.now() < end && (await secondsOf(job)) < 0.15);
}

/** So many turns of a job count, of two calls each. */
const TURNS = 10;
/** A job whose call takes so many seconds has one turn of one call: it meets quiet and busy moments within it. */
const SLOW = 0.25;

interface Turn {
  seconds: number[];
  /** What part of their best the cores reached before and after, whichever is less. */
  speed: number;
}

export interface Measured {
  /** Of the calls that count, the shortest first. */
  seconds: number[];
  /** What part of their best the cores reached in all turns that count; slow jobs have such as they come. */
  speed: number | undefined;
}

/**
 * Times single calls of each job, warm, for so many milliseconds in all. The jobs take turns. Where others use the machine too, they
 * slow its cores down for seconds at a time, and some jobs much more than others: so those turns of a job count in which the
 * cores were fastest. `coreSpeed` tells what part of their best the cores reach at the moment, by something that is none of
 * the jobs.
 */
export async function measureInTurns(
  jobs: readonly Job[],
  coreSpeed: () => number,
  budget: number,
): Promise<Measured[]> {
  const end = performance.now() + budget;
  const turns: Turn[][] = jobs.map(() => []);
  const slow = new Set<number>();
  for (const job of jobs) await warmUp(job);
  do {
    for (const [i, job] of jobs.entries()) {
      if (slow.has(i) || (turns[i].length > 0 && performance.now() > end)) continue;
      // Threads of whoever was measured before shall be asleep.
      await new Promise((resolve) => setTimeout(resolve, 20));
      const before = coreSpeed();
      const first = await secondsOf(job);
      if (first > SLOW) slow.add(i);
      const seconds = first > SLOW ? [first] : [first, await secondsOf(job), await secondsOf(job)].slice(1);
      turns[i].push({ seconds, speed: Math.min(before, coreSpeed()) });
    }
  } while (performance.now() < end && slow.size < jobs.length);
  return turns.map((own, i) => {
    const counted = own.toSorted((a, b) => b.speed - a.speed).slice(0, TURNS);
    const seconds = counted.flatMap((turn) => turn.seconds).toSorted((a, b) => a - b);
    return { seconds, speed: slow.has(i) ? undefined : counted[counted.length - 1].speed };
  });
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
