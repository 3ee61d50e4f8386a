import { cpus } from 'node:os';
import { formatTable } from '../../chapters/common/table.ts';
import { loadKernels } from '../../lib/backend/wasm/load.node.ts';
import { allEngines, type Shape, type Trans } from './engines.ts';
import { peakGflops } from './peak.ts';
import { measure } from './timing.ts';

/** The matrix products of GPT-2 small for a batch of 8 messages of 109 tokens, and a square one. */
const SIZES = [
  { m: 872, n: 768, k: 768 },
  { m: 872, n: 3072, k: 768 },
  { m: 872, n: 768, k: 3072 },
  { m: 1024, n: 1024, k: 1024 },
];
const TRANS: Trans[] = ['NN', 'NT', 'TN'];

export interface GemmRow extends Shape {
  engine: string;
  threads: number;
  gflops: number;
}

/** GFLOP/s of every engine at every shape and transposition. */
export async function gemm(): Promise<GemmRow[]> {
  const shapes = SIZES.flatMap((size) => TRANS.map((trans) => ({ ...size, trans })));
  const rows: GemmRow[] = [];
  const engines = await allEngines();
  // Engine after engine at each shape: what the machine does meanwhile meets all of them alike.
  for (const shape of shapes) {
    for (const engine of engines) {
      const job = await engine.prepare(shape);
      if (!job) continue;
      const gflops = (2 * shape.m * shape.n * shape.k) / (await measure(job)) / 1e9;
      rows.push({ engine: engine.name, ...shape, threads: engine.threads, gflops: round(gflops) });
    }
    console.log(`measured ${shape.m}·${shape.n}·${shape.k} ${shape.trans}`);
  }
  for (const engine of engines) await engine.close?.();
  // Last, since V8 goes on compiling AssemblyScript's compiler in the background.
  const peak = await peakGflops(loadKernels().relaxed);
  console.log(`\n${cpus()[0].model}; one thread's 128-bit multiply-adds reach ${peak.toFixed(1)} GFLOP/s`);
  console.log(`\nGFLOP/s\n${table(rows)}`);
  return rows;
}

const round = (value: number) => Number(value.toPrecision(4));

/** One line per engine and thread count, one column per shape, the three transpositions beside each other. */
function table(rows: readonly GemmRow[]): string {
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
        return row ? row.gflops.toFixed(1) : '–';
      }),
    );
    return [...label.split(' '), ...cells];
  });
  // Shapes down, engines across: narrower than a terminal.
  const turned = header.map((title, column) => [title, ...lines.map((line) => line[column])]);
  return formatTable(['shape m·n·k', ...lines.map((line) => `${line[0]} (${line[1]})`)], turned.slice(2));
}
