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

/** So many turns of a job count, of two calls each; fewer, as they come, of one whose call takes so many seconds. */
const TURNS = 10;
const [SLOW, SLOW_TURNS] = [0.25, 3];
const [VERY_SLOW, VERY_SLOW_TURNS] = [3, 1];
/** A turn is undisturbed if the cores reach so much of their best before it and after it. */
const UNDISTURBED = 0.97;
/** The jobs are offered so many turns. When a core is disturbed they pass, but for every fifteenth. */
const OFFERS = 150;
const NEVER_PASSED = 15;

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
 * Times single calls of each job, warm. The jobs take turns. Where others use the machine too, they slow its cores
 * down for seconds at a time, and some jobs much more than others: so a job's turns count in which the cores were
 * fastest, and there are more of them until enough were undisturbed. `coreSpeed` tells what part of their best the
 * cores reach at the moment, by something that is none of the jobs.
 */
export async function measureInTurns(jobs: readonly Job[], coreSpeed: () => number): Promise<Measured[]> {
  const turns: Turn[][] = jobs.map(() => []);
  const wanted: number[] = jobs.map(() => TURNS);
  const isSlow = (i: number) => wanted[i] < TURNS;
  const lacksTurns = (i: number) => {
    // A slow job meets quiet and busy moments within one call.
    const valid = isSlow(i) ? turns[i] : turns[i].filter((turn) => turn.speed >= UNDISTURBED);
    return valid.length < wanted[i];
  };
  for (const job of jobs) await warmUp(job);
  for (let offer = 0; offer < OFFERS; offer++) {
    for (const [i, job] of jobs.entries()) {
      if (!lacksTurns(i)) continue;
      // Threads of whoever was measured before shall be asleep.
      await new Promise((resolve) => setTimeout(resolve, 50));
      const before = coreSpeed();
      if (before < UNDISTURBED && offer % NEVER_PASSED > 0) continue;
      const first = await secondsOf(job);
      const seconds = first > VERY_SLOW ? [first] : [await secondsOf(job), await secondsOf(job)];
      turns[i].push({ seconds, speed: Math.min(before, coreSpeed()) });
      if (first > SLOW) wanted[i] = first > VERY_SLOW ? VERY_SLOW_TURNS : SLOW_TURNS;
    }
  }
  return turns.map((own, i) => {
    const counted = own.toSorted((a, b) => b.speed - a.speed).slice(0, wanted[i]);
    const seconds = counted.flatMap((turn) => turn.seconds).toSorted((a, b) => a - b);
    return { seconds, speed: isSlow(i) ? undefined : counted[counted.length - 1].speed };
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
