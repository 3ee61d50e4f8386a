import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { formatTable } from '../../../chapters/common/table.ts';
import { UserError } from '../../../lib/index.ts';
import { command } from '../../support/program.ts';
import { memorySpeed } from '../memorySpeed.ts';
import { lacksPython, PYTHON, WARM } from '../python.ts';
import { median } from '../timing.ts';
import type { Measurement, Task } from './measurement.ts';

/**
 * A real Llama: ours with its matrices in blocks and in float32, llama.cpp and PyTorch on the same file. Each measurement is
 * a process of its own, so that its memory is its own too, and they take turns.
 */

export interface LlamaRow {
  engine: string;
  prompt?: number;
  generation?: number;
  answerGB?: number;
  stepSeconds?: number;
  stepGB?: number;
  /** The same on messages, of which a batch is half padding. */
  messagesSeconds?: number;
  messagesGB?: number;
}

export interface LlamaResult {
  rows: LlamaRow[];
  threads: number;
  memoryGBPerSecond: number;
  /** Which engines were not measured, and why. */
  missing: string[];
}

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));
interface Engine {
  name: string;
  tasks: readonly Task[];
  command: readonly string[];
  env?: NodeJS.ProcessEnv;
  /** What has to be installed before it can run, asked before anything is measured. */
  lacks?: () => Promise<string | undefined>;
}

const INSTALL = 'npm install --prefix test/bench/llama --no-package-lock --ignore-scripts installs it';
const lacksLlamaCpp = async () => (existsSync(here('node_modules/node-llama-cpp')) ? undefined : INSTALL);

const OURS = [process.execPath, '--import', 'tsx', here('ours.ts')];
const ALL: readonly Task[] = ['answer', 'step', 'messages'];
const ENGINES: readonly Engine[] = [
  { name: 'ours, blocks of 4 bits', tasks: ALL, command: [...OURS, 'quantised'] },
  { name: 'ours, float32', tasks: ALL, command: [...OURS, 'float32'] },
  {
    name: 'llama.cpp',
    tasks: ['answer'],
    command: [process.execPath, '--import', 'tsx', here('llama-cpp.ts')],
    lacks: lacksLlamaCpp,
  },
  {
    name: 'PyTorch, float32',
    tasks: ALL,
    command: [PYTHON, here('torch_llama.py')],
    env: WARM,
    lacks: () => lacksPython(['torch', 'transformers', 'peft', 'gguf']),
  },
];

/** @throws UserError if no file is given */
export async function llama(threads: number, weights: string | undefined, rounds = 2): Promise<LlamaResult> {
  if (!weights)
    throw new UserError('no file is given: name a GGUF file of a Llama or a Gemma with --weights PATH');
  const missing = new Map<Engine, string>();
  for (const engine of ENGINES) {
    const why = await engine.lacks?.();
    if (!why) continue;
    missing.set(engine, `${engine.name}: ${why}`);
    console.log(`${engine.name} is not measured: ${why}`);
  }
  const speeds = [await memorySpeed(threads)];
  const measured = new Map<string, Measurement[]>();
  for (let round = 0; round < rounds; round++) {
    for (const engine of ENGINES) {
      for (const task of engine.tasks) {
        if (missing.has(engine)) continue;
        const found = await runProcess(engine, [task, weights, `${threads}`]);
        if (typeof found === 'string') {
          missing.set(engine, `${engine.name}: ${found}`);
          console.log(`${engine.name} is not measured: ${found}`);
          continue;
        }
        console.log(`${engine.name}, ${task}, ${round + 1} of ${rounds}: ${JSON.stringify(found)}`);
        measured.set(engine.name + task, [...(measured.get(engine.name + task) ?? []), found]);
      }
    }
    speeds.push(await memorySpeed(threads));
  }
  const rows = ENGINES.filter((engine) => !missing.has(engine)).map(({ name }): LlamaRow => {
    const middle = (task: Task, key: keyof Measurement) => {
      const values = (measured.get(name + task) ?? []).flatMap((each) => each[key] ?? []);
      return values.length > 0 ? median(values) : undefined;
    };
    return {
      engine: name,
      prompt: middle('answer', 'prompt'),
      generation: middle('answer', 'generation'),
      answerGB: middle('answer', 'peakGB'),
      stepSeconds: middle('step', 'stepSeconds'),
      stepGB: middle('step', 'peakGB'),
      messagesSeconds: middle('messages', 'stepSeconds'),
      messagesGB: middle('messages', 'peakGB'),
    };
  });
  const memoryGBPerSecond = Math.max(...speeds);
  printTable(rows);
  console.log(`threads: ${threads}; memory is read at ${memoryGBPerSecond.toFixed(1)} GB/s`);
  return { rows, threads, memoryGBPerSecond, missing: [...missing.values()] };
}

function printTable(rows: readonly LlamaRow[]): void {
  const header = [
    ...['engine', 'prompt tokens/s', 'new tokens/s', 'GB'],
    ...['LoRA step s', 'GB of it', 'on messages s', 'GB of it'],
  ];
  const cells = rows.map(({ engine, prompt, generation, answerGB, ...steps }) => {
    const { stepSeconds, stepGB, messagesSeconds, messagesGB } = steps;
    return [
      engine,
      ...[prompt, generation].map((speed) => speed?.toFixed(1) ?? ''),
      ...[answerGB, stepSeconds, stepGB, messagesSeconds, messagesGB].map((x) => x?.toFixed(2) ?? ''),
    ];
  });
  console.log(`\n${formatTable(header, cells)}`);
}

/** What the process printed last, or why it printed nothing of use. */
async function runProcess(engine: Engine, words: readonly string[]): Promise<Measurement | string> {
  const [name, ...args] = [...engine.command, ...words];
  try {
    const { status, stdout, stderr } = await command(name, args, { env: engine.env });
    if (status !== 0) return stderr.trim().split('\n').at(-1) || `it ended with ${status}`;
    return JSON.parse(stdout.trim().split('\n').at(-1)!);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
