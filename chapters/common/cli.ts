import { realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { activeGpu, type Traffic } from '../../lib/backend/gpu/index.ts';
import { type BackendChoice, useBackend } from '../../lib/index.ts';
import { type OptionSpec, type OptionValues, parseOptions, runMain } from '../../lib/io/cli.ts';
import { requireWritableFolder, writeFileAtomically } from '../../lib/io/files.ts';
import { Notebook } from './notebook.ts';

/** What every chapter's command takes. */
export const COMMON_OPTIONS = {
  backend: {
    type: 'choice',
    help: 'engine: wasm is the CPU engine, gpu is gpu.js, js the readable loops',
    choices: ['auto', 'wasm', 'gpu', 'js'],
    default: process.env.LLMS_BACKEND ?? 'auto',
  },
  gpuMode: {
    type: 'choice',
    help: "gpu.js's mode, with --backend gpu",
    choices: ['webgpu', 'headlessgl', 'webgl2', 'webasm', 'cpu'],
  },
  threads: { type: 'number', help: 'threads of the CPU engine (default: all cores)', min: 1, integer: true },
  json: { type: 'string', help: 'write what was printed as figures to this file', placeholder: 'FILE' },
} as const satisfies Record<string, OptionSpec>;

export interface ChapterSpec<Options extends Record<string, OptionSpec>> {
  /** As in `npm run chapter06`. */
  chapter: string;
  summary: string;
  options: Options;
  run(notebook: Notebook, options: OptionValues<Options & typeof COMMON_OPTIONS>): void | Promise<void>;
}

/** Runs a chapter as a command: its options and the common ones, the engine, and `--json` at the end. */
export async function runChapter<const Options extends Record<string, OptionSpec>>(
  spec: ChapterSpec<Options>,
): Promise<void> {
  await runMain(async () => {
    const values = parseOptions({
      command: `npm run ${spec.chapter} --`,
      summary: spec.summary,
      options: { ...spec.options, ...COMMON_OPTIONS },
    }) as OptionValues<Options & typeof COMMON_OPTIONS>;
    const common = values as OptionValues<typeof COMMON_OPTIONS>;
    if ('out' in values) await requireWritableFolder(values.out as string);
    if (common.json) await requireWritableFolder(dirname(common.json));
    const notebook = new Notebook(spec.chapter);
    const engine = await useBackend(common.backend, { threads: common.threads, gpuMode: common.gpuMode });
    notebook.note(`Engine: ${describeEngine(engine)}`);
    notebook.figure('backend', engine);
    const start = performance.now();
    await spec.run(notebook, values);
    noteTraffic(notebook);
    notebook.figure('seconds', Number(((performance.now() - start) / 1000).toFixed(2)));
    if (common.json) {
      await writeFileAtomically(common.json, `${JSON.stringify(notebook, null, 2)}\n`);
      notebook.note(`Figures written to ${common.json}`);
    }
  });
}

/** `wasm, 2 threads (…why…)`. */
function describeEngine(engine: BackendChoice): string {
  const threads = engine.threads && `${engine.threads} thread${engine.threads === 1 ? '' : 's'}`;
  const parts = [engine.name, engine.mode, threads].filter(Boolean);
  return `${parts.join(', ')} (${engine.why})`;
}

/** What went over the bus to a GPU and back: the figures that no other card would change. */
function noteTraffic(notebook: Notebook): void {
  const gpu = activeGpu();
  if (!gpu) return;
  const perStep = gpu.perStep && `; a training step: ${describeTraffic(gpu.perStep)}`;
  notebook.note(`GPU: ${describeTraffic(gpu.traffic)}${perStep ?? ''}`);
  notebook.figure('gpu', { traffic: gpu.traffic, perStep: gpu.perStep, lost: gpu.lost });
}

function describeTraffic({ bytesUp, bytesDown, waits, launches }: Traffic): string {
  const bytes = (n: number) => {
    if (n < 1e3) return `${n} B`;
    return n < 1e6 ? `${(n / 1e3).toFixed(1)} KB` : `${(n / 1e6).toFixed(1)} MB`;
  };
  return `${bytes(bytesUp)} up, ${bytes(bytesDown)} down, ${waits} waits, ${launches} kernels`;
}

/** Is this module the program that node was asked to run, rather than one that is imported? */
export function isProgram(moduleUrl: string): boolean {
  return process.argv[1] !== undefined && moduleUrl === pathToFileURL(realpathSync(process.argv[1])).href;
}
