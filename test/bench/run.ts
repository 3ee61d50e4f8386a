import { readCommandLine, runMain } from '../../chapters/common/command-line.ts';
import { UsageError } from '../../chapters/common/options.ts';
import { useBackend } from '../../lib/index.ts';
import { writeFileAtomically } from '../../lib/io/files.ts';

/**
 * `npm run bench -- gemm|step|scale|memory|generate|llama|gpu|site|tables`: measures, prints a table, and with --json writes the figures.
 * `runtime` and `whole-step` are what `tables` runs in processes of their own.
 */

const OPTIONS = {
  json: { type: 'path', access: 'writeFile', help: 'write the figures to this file', placeholder: 'FILE' },
  threads: { type: 'number', help: 'threads of the CPU engine (default: all cores)', min: 1, integer: true },
  weights: { type: 'path', access: 'read', help: 'of llama and tables: a GGUF file', placeholder: 'PATH' },
  rounds: {
    type: 'number',
    help: 'of llama: how often each engine is measured',
    default: 2,
    min: 1,
    integer: true,
  },
  write: {
    type: 'path',
    access: 'writeFile',
    help: 'of tables: the page that gets them',
    default: 'docs/benchmarks.md',
    placeholder: 'FILE',
    ending: '.md',
  },
  only: { type: 'string', help: 'of tables: some sections, with commas between them', placeholder: 'NAMES' },
  nodes: {
    type: 'string',
    help: 'of tables: the paths of Node to measure, with commas',
    placeholder: 'PATHS',
  },
} as const;

interface Options {
  threads: number;
  rounds: number;
  write: string;
  weights?: string;
  only?: string;
  nodes?: string;
}

/** Each is loaded when asked for: gemm makes its own engines, gpu needs a GPU. */
const BENCHMARKS: Record<string, (options: Options) => unknown> = {
  gemm: async () => (await import('./gemm.ts')).gemm(),
  step: async ({ threads }) => (await import('./step.ts')).step(threads),
  scale: async () => (await import('./scale.ts')).scale(),
  memory: async () => (await import('./memory.ts')).memory(),
  gpu: async () => (await import('./gpu.ts')).gpu(),
  site: async () => (await import('./site.ts')).site(),
  generate: async ({ threads }) => (await import('./generate.ts')).generate(threads),
  llama: async ({ threads, weights, rounds }) =>
    (await import('./llama/run.ts')).llama(threads, weights, rounds),
  tables: async (options) => (await import('./tables/write.ts')).tables(options),
  runtime: async ({ threads }) => (await import('./runtime.ts')).runtime(threads),
  'whole-step': async () => (await import('./runtime.ts')).wholeStep(),
};

await runMain(async () => {
  const names = Object.keys(BENCHMARKS).join('|');
  const [name, ...rest] = process.argv.slice(2);
  const options = await readCommandLine(
    {
      command: `npm run bench -- ${names}`,
      summary:
        'Measures the matrix product, a training step, how time grows with the text, memory over many steps, generation, a real Llama, or the bytes of the site; tables writes docs/benchmarks.md.',
      options: OPTIONS,
    },
    name?.startsWith('-') ? [name, ...rest] : rest,
  );
  if (!name || !(name in BENCHMARKS)) throw new UsageError(`a benchmark is expected: one of ${names}`);
  const { threads = 1 } = await useBackend('wasm', { threads: options.threads });
  const figures = await BENCHMARKS[name]({ ...options, threads });
  if (options.json) await writeFileAtomically(options.json, `${JSON.stringify(figures, null, 2)}\n`);
});
