import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { command } from '../../support/program.ts';
import type { GemmResult } from '../gemm.ts';
import type { GenerateResult } from '../generate.ts';
import type { LlamaResult } from '../llama/run.ts';
import type { MemoryRow } from '../memory.ts';
import { lacksPython, PYTHON, WARM } from '../python.ts';
import type { RuntimeResult, WholeStepResult } from '../runtime.ts';
import { median } from '../timing.ts';
import type { Measuring, Table } from './write.ts';

/** What each table of docs/benchmarks.md is measured by. */

interface Section {
  /** Is it measured in each Node that is given? */
  everyNode: boolean;
  measure(measuring: Measuring): Promise<Table>;
}

const fixed = (digits: number) => (value: number | undefined) => value?.toFixed(digits) ?? '–';
const [whole, one, two] = [fixed(0), fixed(1), fixed(2)];

/** The widths of a Node's vectors that there are: 256 is refused in one line where it cannot be had. */
const WIDTHS = [128, 256] as const;

async function runtimes({ runtimes, bench }: Measuring): Promise<Table> {
  const rows: string[][] = [];
  const missing: string[] = [];
  for (const runtime of runtimes) {
    for (const vectors of WIDTHS) {
      const found = await bench<RuntimeResult>(runtime, 'runtime', { vectors });
      if (typeof found === 'string') {
        missing.push(`${vectors} bits in Node ${runtime.version}: ${found}`);
        continue;
      }
      const { limit, product, productThreads, miniMilliseconds, threads } = found;
      rows.push([
        ...[runtime.version, `${vectors}`, one(limit), one(product), `${whole((100 * product) / limit)}%`],
        ...[`${one(productThreads)} (${threads})`, one(miniMilliseconds)],
      ]);
    }
  }
  const header = [
    ...['Node', 'vectors', 'most that multiply-adds reach', '872·3072·768, one thread', 'share'],
    ...['all threads', 'LoRA step of `mini`, ms'],
  ];
  return { header, rows, missing };
}

async function gemm({ latest, bench }: Measuring): Promise<Table> {
  const found = await bench<GemmResult>(latest, 'gemm');
  if (typeof found === 'string') return { header: [], rows: [], missing: [`gemm: ${found}`] };
  const engines = [...new Set(found.rows.map(({ engine, threads }) => `${engine} (${threads})`))];
  const shapes = [...new Set(found.rows.map(({ m, n, k, trans }) => `${m}·${n}·${k} ${trans}`))];
  const rows = shapes.map((shape) => [
    shape,
    ...engines.map((engine) => {
      const row = found.rows.find(
        ({ m, n, k, trans, ...of }) =>
          `${m}·${n}·${k} ${trans}` === shape && `${of.engine} (${of.threads})` === engine,
      );
      return row ? `${one(row.gflops)} / ${one(row.best)}` : '–';
    }),
  ]);
  return { header: ['m·n·k', ...engines], rows, missing: found.missing };
}

const AVX2 = { ATEN_CPU_CAPABILITY: 'avx2', ONEDNN_MAX_CPU_ISA: 'AVX2', MKL_ENABLE_INSTRUCTIONS: 'AVX2' };
const ROUNDS = 2;

async function step({ latest, threads, bench }: Measuring): Promise<Table> {
  const missing: string[] = [];
  const torch = (env: NodeJS.ProcessEnv) => async (): Promise<WholeStepResult | string> => {
    const script = fileURLToPath(new URL('../torch_step.py', import.meta.url));
    const ended = await command(PYTHON, [script, `${threads}`], { env: { ...WARM, ...env } });
    if (ended.status !== 0) return ended.stderr.trim().split('\n').at(-1) ?? 'it ended';
    return JSON.parse(ended.stdout);
  };
  const ours = (vectors: 128 | 256) => () =>
    bench<WholeStepResult>(latest, 'whole-step', { vectors, args: ['--threads', `${threads}`] });
  const lacks = await lacksPython(['torch']);
  if (lacks) missing.push(`PyTorch: ${lacks}`);
  const peers = { 'PyTorch held to AVX2': torch(AVX2), PyTorch: torch({}) };
  const engines = {
    'ours, 256-bit vectors': ours(256),
    'ours, 128-bit vectors': ours(128),
    ...(lacks ? {} : peers),
  };
  const found = new Map<string, WholeStepResult[]>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, measure] of Object.entries(engines)) {
      const figures = await measure();
      if (typeof figures !== 'string') found.set(name, [...(found.get(name) ?? []), figures]);
      else if (round === 0) missing.push(`${name}: ${figures}`);
    }
  }
  const rows = [...found].map(([name, figures]) => [
    name,
    two(median(figures.map(({ seconds }) => seconds))),
    two(median(figures.map(({ peakGB }) => peakGB))),
  ]);
  return { header: [`engine (${threads} threads)`, 'step, s', 'memory, GB'], rows, missing };
}

async function llama({ latest, weights, threads, bench }: Measuring): Promise<Table> {
  if (!weights) return { header: [], rows: [], missing: ['a real Llama, whose GGUF file --weights names'] };
  const args = ['--weights', weights, '--rounds', '1', '--threads', `${threads}`];
  const found = await bench<LlamaResult>(latest, 'llama', { args });
  if (typeof found === 'string') return { header: [], rows: [], missing: [`llama: ${found}`] };
  const header = [
    ...['engine', 'prompt, tokens/s', 'generation, tokens/s', 'memory, GB'],
    ...['LoRA step, s', 'memory, GB', 'on messages, s', 'memory, GB'],
  ];
  const rows = found.rows.map((row) => [
    ...[row.engine, one(row.prompt), one(row.generation), two(row.answerGB)],
    ...[row.stepSeconds, row.stepGB, row.messagesSeconds, row.messagesGB].map(two),
  ]);
  return { header, rows, missing: found.missing };
}

async function generate({ latest, threads, bench }: Measuring): Promise<Table> {
  const found = await bench<GenerateResult>(latest, 'generate', { args: ['--threads', `${threads}`] });
  if (typeof found === 'string') return { header: [], rows: [], missing: [`generate: ${found}`] };
  const { tokensPerSecond, memoryGBPerSecond, share } = found;
  const rows = [
    ['without a cache', one(tokensPerSecond.without), '', ''],
    ['with a cache', one(tokensPerSecond.withCache), one(memoryGBPerSecond), `${whole(100 * share)}%`],
  ];
  return {
    header: ['', 'tokens/s', 'memory is read at, GB/s', 'share of what it allows'],
    rows,
    missing: [],
  };
}

async function memory({ latest, bench }: Measuring): Promise<Table> {
  const found = await bench<MemoryRow[]>(latest, 'memory');
  if (typeof found === 'string') return { header: [], rows: [], missing: [`memory: ${found}`] };
  const header = ['steps', ...found.map(({ steps }) => `${steps}`)];
  return { header, rows: [['MB', ...found.map(({ rssMB }) => `${rssMB}`)]], missing: [] };
}

/** Says at its end how long the processor worked for it. */
const PROCESSOR =
  'data:text/javascript,process.on("exit",()=>{const{user,system}=process.cpuUsage();console.error((user+system)/1e6)})';

/** Chapter 6 as a user runs it; processor seconds are the same however many others use the machine. */
async function chapter06({ latest }: Measuring): Promise<Table> {
  const rows: string[][] = [];
  const missing: string[] = [];
  for (const vectors of WIDTHS) {
    const folder = mkdtempSync(join(tmpdir(), 'bench-'));
    const program = ['--import', 'tsx', '--import', PROCESSOR, 'chapters/chapter06/run.ts'];
    const options = ['--data', 'stand-in', '--method', 'lora', '--out', folder];
    const begin = performance.now();
    const ended = await command(latest.path, [...program, ...options], {
      env: { LLMS_VECTORS: `${vectors}` },
    });
    const seconds = (performance.now() - begin) / 1000;
    rmSync(folder, { recursive: true });
    const last = ended.stderr.trim().split('\n').at(-1) ?? '';
    if (ended.status === 0) rows.push([`${vectors}`, one(seconds), one(Number(last))]);
    else missing.push(`${vectors} bits: ${ended.stderr.trim().split('\n').at(-2)}`);
  }
  return { header: ['vectors', 'seconds', 'processor seconds'], rows, missing };
}

/** In the order of the page; all of them together take at most a quarter of an hour. */
export const SECTIONS = {
  runtimes: { everyNode: true, measure: runtimes },
  gemm: { everyNode: false, measure: gemm },
  step: { everyNode: false, measure: step },
  chapter06: { everyNode: false, measure: chapter06 },
  llama: { everyNode: false, measure: llama },
  generate: { everyNode: false, measure: generate },
  memory: { everyNode: false, measure: memory },
} satisfies Record<string, Section>;
export type SectionName = keyof typeof SECTIONS;
