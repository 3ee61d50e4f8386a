/** The program of a process that makes one run: it is told which, shows its progress to its parent, and sends the result. */

import { loadavg } from 'node:os';
import { useBackend } from '../../../lib/index.ts';
import { Interrupted, runMain } from '../../common/command-line.ts';
import { setProgressDisplay } from '../../common/progress.ts';
import { type Circumstances, type Result, type Task, trainOne } from './one-run.ts';

/** What the parent says, as the one argument. */
export interface Order {
  task: Task;
  circumstances: Circumstances;
  threads?: number;
  folder: string;
}

/** What the child says. */
export type Report = { progress: string } | { result: Result };

await runMain(async () => {
  const { task, circumstances, threads, folder }: Order = JSON.parse(process.argv[2]);
  const report = (what: Report) => void process.send?.(what);
  const giveUp = () => process.exit(1); // nobody waits for the result any more
  process.on('disconnect', giveUp);
  setProgressDisplay({ show: (line) => report({ progress: line.trim() }), clear: () => {} });
  const engine = await useBackend('wasm', { threads });
  try {
    const result = await trainOne(task, circumstances, folder);
    report({ result: { ...result, threads: engine.threads ?? 1, load: loadavg()[0] } });
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    process.exitCode = error.exitCode; // Ctrl-C reaches both processes, and the parent has the word
  }
  process.off('disconnect', giveUp);
  process.disconnect?.();
});
