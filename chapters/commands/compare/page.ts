import { cpus } from 'node:os';
import { BATCH_SIZE, type Result } from './one-run.ts';
import { cellsOf, HEADER, type Row } from './table.ts';

/** What the page says beside the table. */
export interface PageFacts {
  /** Which messages, and the seed of their split. */
  data: string;
  /** How many messages are in each part. */
  sizes: { train: number; valid: number; test: number };
  synthetic: boolean;
  seeds: readonly number[];
  epochs: number;
  /** The command that has made it. */
  command: string;
  /** The figure's path, beside the page. */
  figure: string;
  results: readonly Result[];
}

/** The table as a page in Markdown: what was compared, on what, and how it was measured. */
export function pageOf(rows: readonly Row[], facts: PageFacts): string {
  const { data, sizes, synthetic, seeds, epochs, command, figure } = facts;
  const paragraphs = [
    '# What is trained, and what comes of it',
    `Written by \`${command}\`, which can make it again.`,
    `Data: ${data}; ${sizes.train} messages to learn from, ${sizes.valid} for validation, ${sizes.test} for the test.` +
      (synthetic ? ' The messages are made up: nothing here says how well real spam is recognised.' : ''),
    `![Test accuracy against the numbers trained](${figure})`,
    tableInMarkdown(rows),
    seeds.length > 1
      ? `Each row is the mean of ${seeds.length} runs, with training seeds ${inWords(seeds)}, and ± their standard deviation ` +
        `(the sample's: divided by ${seeds.length - 1}).`
      : `Each row is one run, with training seed ${seeds[0]}: there is no spread to show.`,
    `A test message more or less is ${(100 / sizes.test).toFixed(1)} points.`,
    examplesInWords(rows),
    `Every run is \`mini\`'s shape, ${epochs} ${epochs === 1 ? 'pass' : 'passes'} in batches of ${BATCH_SIZE}, AdamW with a weight decay of ` +
      `0.1, and a learning rate that rises over a tenth of the steps and falls along half a cosine. The highest rates are ` +
      `chapter 6's: ${ratesInWords(rows)}. LoRA has alpha = rank; \`lora-16-attention\` wraps the four matrices of attention and ` +
      'the head, the others every Linear. "Random" weights are drawn anew with each seed.',
    'Seconds are those of the training with its evaluation and, where blocks are frozen, their one pass; processor seconds ' +
      "are over all threads. Memory is the most that the run's own process has held.",
    machineInWords(facts.results),
  ];
  return `${paragraphs.filter((text) => text !== '').join('\n\n')}\n`;
}

function tableInMarkdown(rows: readonly Row[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(HEADER), line(HEADER.map(() => '---')), ...rows.map((row) => line(cellsOf(row)))].join('\n');
}

function examplesInWords(rows: readonly Row[]): string {
  if (rows.some(({ examplesRight }) => examplesRight === undefined)) return '';
  const wrong = rows.filter(({ examplesRight, runs }) => examplesRight! < runs);
  const exceptions = wrong.map(({ method, base, examplesRight, runs }) => {
    return `${method} on ${base} weights (${examplesRight} of ${runs})`;
  });
  const all = "Both of chapter 6's example messages come out right in every run";
  if (exceptions.length === 0) return `${all}.`;
  return `${all}, except in these (runs with both right, of all): ${exceptions.join(', ')}.`;
}

function ratesInWords(rows: readonly Row[]): string {
  const rates = new Map(rows.map(({ method, lr }) => [method.startsWith('lora') ? 'LoRA' : method, lr]));
  return Array.from(rates, ([method, lr]) => `${lr} for ${method}`).join(', ');
}

/** Where the runs were made, and how busy it was there. */
function machineInWords(results: readonly Result[]): string {
  const cores = cpus();
  const between = (values: readonly number[], digits: number) => {
    const [least, most] = [Math.min(...values), Math.max(...values)].map((value) => value.toFixed(digits));
    return least === most ? least : `${least} to ${most}`;
  };
  const threads = between(
    results.map((result) => result.threads),
    0,
  );
  const load = between(
    results.map((result) => result.load),
    1,
  );
  return (
    `Machine: ${cores.length} cores of ${cores[0].model.trim()}, Node ${process.versions.node}; ${threads} threads a run. ` +
    `In the last minute of a run ${load} threads wanted a core, those of other programs included: where that is more than the ` +
    "run's own, its seconds are more than it needs."
  );
}

function inWords(items: readonly number[]): string {
  return items.length === 1 ? `${items[0]}` : `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;
}
