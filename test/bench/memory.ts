import { formatTable } from '../../chapters/common/table.ts';
import { loraTraining, MINI } from '../gpu/training.ts';

/** Megabytes that the process has in memory after so many LoRA steps of `mini`, batch [8, 109]. */
export type MemoryRow = { steps: number; rssMB: number };

const STEPS = [1, 5, 10, 20, 50, 100, 150, 200];

/** Does memory grow from step to step? */
export function memory(): MemoryRow[] {
  const { step } = loraTraining(MINI, 8, 109);
  const rows: MemoryRow[] = [];
  for (let steps = 1; steps <= STEPS.at(-1)!; steps++) {
    step();
    if (STEPS.includes(steps)) rows.push({ steps, rssMB: Math.round(process.memoryUsage().rss / 1e6) });
  }
  console.log(
    formatTable(
      ['steps', 'MB'],
      rows.map(({ steps, rssMB }) => [`${steps}`, `${rssMB}`]),
    ),
  );
  return rows;
}
