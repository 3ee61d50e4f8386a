import { readCommandLine, runMain } from '../../chapters/common/command-line.ts';
import { UsageError } from '../../chapters/common/options.ts';
import { useBackend } from '../../lib/index.ts';
import { writeFileAtomically } from '../../lib/io/files.ts';

/** `npm run bench -- gemm|step|scale|memory|generate|llama|gpu`: measures, prints a table, and with --json writes the figures. */

const OPTIONS = {
  json: { type: 'path', access: 'writeFile', help: 'write the figures to this file', placeholder: 'FILE' },
  threads: { type: 'number', help: 'threads of the CPU engine (default: all cores)', min: 1, integer: true },
  weights: { type: 'path', access: 'read', help: 'of llama: a GGUF file', placeholder: 'PATH' },
} as const;

/** Each is loaded when asked for: gemm makes its own engines, gpu needs a GPU. */
const BENCHMARKS: Record<string, (threads: number, weights?: string) => Promise<unknown>> = {
  gemm: async () => (await import('./gemm.ts')).gemm(),
  step: async (threads) => (await import('./step.ts')).step(threads),
  scale: async () => (await import('./scale.ts')).scale(),
  memory: async () => (await import('./memory.ts')).memory(),
  gpu: async () => (await import('./gpu.ts')).gpu(),
  generate: async (threads) => (await import('./generate.ts')).generate(threads),
  llama: async (threads, weights) => (await import('./llama/run.ts')).llama(threads, weights),
};

await runMain(async () => {
  const names = Object.keys(BENCHMARKS).join('|');
  const [name, ...rest] = process.argv.slice(2);
  const options = await readCommandLine(
    {
      command: `npm run bench -- ${names}`,
      summary:
        'Measures the matrix product, a training step, how time grows with the text, memory over many steps, generation, or a real Llama.',
      options: OPTIONS,
    },
    name?.startsWith('-') ? [name, ...rest] : rest,
  );
  if (!name || !(name in BENCHMARKS)) throw new UsageError(`a benchmark is expected: one of ${names}`);
  const { threads = 1 } = await useBackend('wasm', { threads: options.threads });
  const figures = await BENCHMARKS[name](threads, options.weights);
  if (options.json) await writeFileAtomically(options.json, `${JSON.stringify(figures, null, 2)}\n`);
});
