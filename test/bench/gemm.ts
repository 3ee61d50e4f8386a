import { availableParallelism, cpus } from 'node:os';
import { formatTable } from '../../chapters/common/table.ts';
import { narrowVariant } from '../../lib/backend/wasm/load.node.ts';
import { allEngines, type Engine, type Shape, type Trans } from './engines.ts';
import { limitOf } from './limit.ts';
import { PeakProbe } from './peak.ts';
import { type Job, measureInTurns, median } from './timing.ts';

/** The matrix products of GPT-2 small for a batch of 8 messages of 109 tokens, and a square one. */
const SIZES = [
  { m: 872, n: 768, k: 768 },
  { m: 872, n: 3072, k: 768 },
  { m: 872, n: 768, k: 3072 },
  { m: 1024, n: 1024, k: 1024 },
];
const TRANS: Trans[] = ['NN', 'NT', 'TN'];
/** Milliseconds for each shape: with what comes before and after, the whole takes less than three minutes. */
const BUDGET = 4000;

export interface GemmRow extends Shape {
  engine: string;
  threads: number;
  /** Of the median call, and of the quickest: far apart on a machine that others use too. */
  gflops: number;
  best: number;
  /** What part of their best the cores reached meanwhile; `undefined` where calls take long. */
  coreSpeed: number | undefined;
}

export interface GemmResult {
  rows: GemmRow[];
  /** The most that multiply-adds reach in one thread, by the bits of a vector. */
  limits: Record<number, number>;
  missing: string[];
}

/** GFLOP/s of every engine at every shape and transposition. */
export async function gemm(): Promise<GemmResult> {
  const shapes = SIZES.flatMap((size) => TRANS.map((trans) => ({ ...size, trans })));
  const rows: GemmRow[] = [];
  const probe = await PeakProbe.create(narrowVariant() === 'relaxed', availableParallelism());
  const { engines, missing } = await allEngines();
  for (const what of missing) console.log(`not measured here: ${what}`);
  const limits: [number, number][] = [[128, await limitOf(128)]];
  if (engines.some(({ name }) => name === 'wasm-256')) limits.push([256, await limitOf(256)]);
  for (const shape of shapes) {
    const jobs = new Map<Engine, Job>();
    for (const engine of engines) {
      const job = await engine.prepare(shape);
      if (job) jobs.set(engine, job);
    }
    const measured = await measureInTurns([...jobs.values()], () => probe.coreSpeed(), BUDGET);
    for (const [i, { name, threads }] of [...jobs.keys()].entries()) {
      const rate = (time: number) => Number(((2e-9 * shape.m * shape.n * shape.k) / time).toPrecision(4));
      const { seconds, speed } = measured[i];
      const [gflops, best] = [rate(median(seconds)), rate(seconds[0])];
      rows.push({ engine: name, ...shape, threads, gflops, best, coreSpeed: speed });
    }
    const percent = Math.round(100 * Math.min(...measured.map(({ speed }) => speed ?? 1)));
    console.log(`measured ${shape.m}·${shape.n}·${shape.k} ${shape.trans}, cores at ${percent} to 100%`);
  }
  for (const engine of engines) await engine.close?.();
  const lines = limits.map(([bits, rate]) => `${bits} bits ${rate.toFixed(1)}`).join(', ');
  console.log(`\n${cpus()[0].model}, Node ${process.versions.node}`);
  console.log(`the most that multiply-adds reach in one thread, GFLOP/s: vectors of ${lines}`);
  console.log(`\nGFLOP/s, median call\n${table(rows, 'gflops')}`);
  console.log(`\nGFLOP/s, quickest call\n${table(rows, 'best')}`);
  return { rows, limits: Object.fromEntries(limits), missing };
}

/** One line per engine and thread count, one column per shape, the three transpositions beside each other. */
function table(rows: readonly GemmRow[], figure: 'gflops' | 'best'): string {
  const engines = [...new Set(rows.map((row) => `${row.engine} ${row.threads}`))];
  const header = [
    'engine',
    'threads',
    ...SIZES.flatMap(({ m, n, k }) => TRANS.map((t) => `${m}·${n}·${k} ${t}`)),
  ];
  const lines = engines.map((label) => {
    const own = rows.filter((row) => `${row.engine} ${row.threads}` === label);
    const cells = SIZES.flatMap(({ m, n, k }) =>
      TRANS.map((trans) => {
        const row = own.find((r) => r.m === m && r.n === n && r.k === k && r.trans === trans);
        return row ? row[figure].toFixed(1) : '–';
      }),
    );
    return [...label.split(' '), ...cells];
  });
  // Shapes down, engines across: narrower than a terminal.
  const turned = header.map((title, column) => [title, ...lines.map((line) => line[column])]);
  return formatTable(['shape m·n·k', ...lines.map((line) => `${line[0]} (${line[1]})`)], turned.slice(2));
}
