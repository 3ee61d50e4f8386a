import { isProgram } from '../../chapters/common/cli.ts';
import { readCommandLine, runMain } from '../../chapters/common/command-line.ts';
import type { OptionSpecs } from '../../chapters/common/options.ts';
import { chooseCommand } from '../../chapters/common/several-commands.ts';
import { useBackend } from '../../lib/index.ts';
import { writeFileAtomically } from '../../lib/io/files.ts';

/** `npm run bench -- gemm|step|…`: measures, prints a table, and with --json writes the figures. */

interface Options {
  threads: number;
  rounds: number;
  write: string;
  weights?: string;
  only?: string;
  nodes?: string;
}

interface Benchmark {
  summary: string;
  /** Beside --json. */
  options: OptionSpecs;
  /** Each is loaded when asked for: gemm makes its own engines, gpu needs a GPU. */
  measure(options: Options): unknown;
}

const JSON_OPTION = {
  json: { type: 'path', access: 'writeFile', help: 'write the figures to this file', placeholder: 'FILE' },
} as const;
const THREADS = {
  threads: { type: 'number', help: 'threads of the CPU engine (default: all cores)', min: 1, integer: true },
} as const;
const WEIGHTS = {
  weights: { type: 'path', access: 'read', help: 'a GGUF file of a Llama', placeholder: 'PATH' },
} as const;

export const BENCHMARKS: Record<string, Benchmark> = {
  gemm: {
    summary: 'the matrix product, of our engines and of others, at one thread and at all',
    options: {},
    measure: async () => (await import('./gemm.ts')).gemm(),
  },
  step: {
    summary: 'a training step of GPT-2 small',
    options: THREADS,
    measure: async ({ threads }) => (await import('./step.ts')).step(threads),
  },
  scale: {
    summary: 'how time grows with the length of the text',
    options: THREADS,
    measure: async () => (await import('./scale.ts')).scale(),
  },
  memory: {
    summary: 'memory over many steps',
    options: THREADS,
    measure: async () => (await import('./memory.ts')).memory(),
  },
  generate: {
    summary: 'tokens a second, with the cache of keys and values and without',
    options: THREADS,
    measure: async ({ threads }) => (await import('./generate.ts')).generate(threads),
  },
  llama: {
    summary: 'a real Llama, beside llama.cpp and PyTorch',
    options: {
      ...{ ...THREADS, ...WEIGHTS },
      rounds: {
        type: 'number',
        help: 'how often each engine is measured',
        default: 2,
        min: 1,
        integer: true,
      },
    },
    measure: async ({ threads, weights, rounds }) =>
      (await import('./llama/run.ts')).llama(threads, weights, rounds),
  },
  gpu: {
    summary: 'every mode of gpu.js that runs here, against the CPU engine',
    options: THREADS,
    measure: async () => (await import('./gpu.ts')).gpu(),
  },
  site: {
    summary: 'the bytes of a visit to the site',
    options: {},
    measure: async () => (await import('./site.ts')).site(),
  },
  tables: {
    summary: 'all of it, and writes the tables of docs/benchmarks.md',
    options: {
      ...{ ...THREADS, ...WEIGHTS },
      write: {
        type: 'path',
        access: 'writeFile',
        help: 'the page that gets them',
        default: 'docs/benchmarks.md',
        placeholder: 'FILE',
        ending: '.md',
      },
      only: { type: 'string', help: 'some sections, with commas between them', placeholder: 'NAMES' },
      nodes: { type: 'string', help: 'the paths of Node to measure, with commas', placeholder: 'PATHS' },
    },
    measure: async (options) => (await import('./tables/write.ts')).tables(options),
  },
  runtime: {
    summary: 'a product and a step in this Node: what tables runs in a process of its own',
    options: THREADS,
    measure: async ({ threads }) => (await import('./runtime.ts')).runtime(threads),
  },
  'whole-step': {
    summary: 'a training step alone: likewise',
    options: THREADS,
    measure: async () => (await import('./runtime.ts')).wholeStep(),
  },
};

if (isProgram(import.meta.url)) {
  await runMain(async () => {
    const command = 'npm run bench --';
    const summary = 'Measures, and prints a table.';
    const [name, argv] = chooseCommand({ command, summary, commands: BENCHMARKS });
    const { summary: what, options: own, measure } = BENCHMARKS[name];
    const spec = { command: `${command} ${name}`, summary: what, options: { ...own, ...JSON_OPTION } };
    const options = (await readCommandLine(spec, argv)) as unknown as Options & { json?: string };
    const { threads = 1 } = await useBackend('wasm', { threads: options.threads });
    const figures = await measure({ ...options, threads });
    if (options.json) await writeFileAtomically(options.json, `${JSON.stringify(figures, null, 2)}\n`);
  });
}
