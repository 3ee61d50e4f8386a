import { basename, dirname, join } from 'node:path';
import { io, UserError } from '../../../lib/index.ts';
import { modelConfig } from '../../chapter05/index.ts';
import {
  checkLength,
  makeLoaders,
  type PreparedMessages,
  prepareMessages,
  SPAM_OPTIONS,
} from '../../chapter06/index.ts';
import { isProgram } from '../../common/cli.ts';
import { readCommandLine, runMain, shellWord } from '../../common/command-line.ts';
import {
  COMMON_OPTIONS,
  inGroup,
  kebab,
  type OptionSpecs,
  type OptionValues,
  UsageError,
} from '../../common/options.ts';
import { onData } from '../../common/plot.ts';
import { Progress } from '../../common/progress.ts';
import { formatTable } from '../../common/table.ts';
import { openTerminal } from '../../common/terminal.ts';
import { figureOf } from './figure.ts';
import { METHOD_NAMES, type MethodName } from './methods.ts';
import { BATCH_SIZE, type Circumstances, datasetsOf, MODEL, type Result, type Task } from './one-run.ts';
import { pageOf } from './page.ts';
import { Records } from './records.ts';
import { contentsOf, identify, plan, runApart, untilStopped } from './runs.ts';
import { cellsOf, HEADER, tableOf } from './table.ts';

export const OPTIONS = {
  data: SPAM_OPTIONS.data,
  ...inGroup('Training', {
    methods: {
      type: 'string',
      help: `which, with commas between: ${METHOD_NAMES.join(', ')}`,
      default: 'all',
      placeholder: 'LIST',
    },
    seed: { ...SPAM_OPTIONS.seed, help: 'of the split, and of the first training; 123 is the book' },
    seeds: {
      type: 'number',
      help: 'trainings of each: the second has the seed after --seed, and so on',
      default: 3,
      min: 1,
      integer: true,
    },
    epochs: { type: 'number', help: 'passes over the training part', default: 3, min: 1, integer: true },
  }),
  maxLength: SPAM_OPTIONS.maxLength,
  threads: { ...COMMON_OPTIONS.threads, counts: undefined }, // always wasm
  ...inGroup('Output', {
    out: {
      type: 'path',
      access: 'writeFile',
      ending: '.md',
      help: 'the page with the table; the figure goes beside it (default: docs/results.md, for the stand-in docs/results-stand-in.md, for a table of your own results.md among the runs)',
      placeholder: 'FILE.md',
    },
    runs: {
      type: 'path',
      access: 'writeFolder',
      help: 'where finished runs are kept: they are not made again',
      default: 'runs/compare',
      placeholder: 'DIR',
    },
  }),
} as const satisfies OptionSpecs;
type Options = OptionValues<typeof OPTIONS>;
type Print = (line: string) => void;

/** @throws UsageError that names one that does not exist */
export function methodsOf(list: string): MethodName[] {
  if (list === 'all') return METHOD_NAMES;
  const names = list.split(',').map((name) => name.trim());
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) throw new UsageError(`--methods has '${twice}' twice: give it once`);
  const unknown = names.find((name) => !METHOD_NAMES.includes(name as MethodName));
  if (unknown === undefined) return METHOD_NAMES.filter((name) => names.includes(name));
  throw new UsageError(
    `--methods has '${unknown}': 'all', or some of ${METHOD_NAMES.join(', ')} with commas between, are expected`,
  );
}

/** All runs of the table: those that are kept, and the missing ones, made one after the other. */
async function makeRuns(
  tasks: readonly Task[],
  circumstances: Circumstances,
  prepared: PreparedMessages,
  { runs: folder, threads }: Options,
  print: Print,
): Promise<{ task: Task; result: Result }[]> {
  const contents = await contentsOf(prepared);
  const records = await Records.open(folder);
  const nameOf = (task: Task) => identify(task, circumstances, contents);
  const missing = tasks.filter((task) => records.get(nameOf(task)) === undefined);
  let finished = tasks.length - missing.length;
  if (finished > 0) print(`${finished} of ${tasks.length} runs are kept in ${folder}`);

  const progress = new Progress('compare', tasks.length, finished);
  await untilStopped(async (stop) => {
    for (const task of missing) {
      stop.throwIfAborted();
      const title = `${task.method} on ${task.base} weights, seed ${task.seed}`;
      const order = { task, circumstances, threads, folder: join(folder, `under-way-${process.pid}`) };
      const result = await runApart(order, stop, (line) => progress.update(finished, `${title}: ${line}`));
      await records.add({ run: nameOf(task), result });
      finished++;
      const { accuracy, seconds } = result;
      print(`${title}: ${(100 * accuracy.test).toFixed(1)}% of the test part, ${seconds.toFixed(0)} s`);
    }
  });
  progress.stop();
  return tasks.map((task) => ({ task, result: records.get(nameOf(task))! }));
}

/** Where the page goes if nothing is said: the collection's own is not written over with other messages'. */
function defaultPage({ synthetic, found }: PreparedMessages, runs: string): string {
  if (found) return join(runs, 'results.md');
  return join('docs', synthetic ? 'results-stand-in.md' : 'results.md');
}

/** What to type to make the table again: the options that change it, and a file by its name alone. */
function commandOf(options: Options): string {
  const given = (['data', 'methods', 'seed', 'seeds', 'epochs', 'maxLength'] as const).filter((name) => {
    const option = OPTIONS[name];
    return (
      options[name] !== undefined && options[name] !== ('default' in option ? option.default : undefined)
    );
  });
  const words = given.map((name) => `--${kebab(name)} ${shellWord(basename(String(options[name])))}`);
  return words.length === 0 ? 'npm run compare' : `npm run compare -- ${words.join(' ')}`;
}

async function run(options: Options, print: Print): Promise<void> {
  const { data, seed, epochs, maxLength } = options;
  const seeds = Array.from({ length: options.seeds }, (_, i) => seed + i);
  const tasks = plan(methodsOf(options.methods), seeds);
  const { contextLength } = modelConfig(MODEL);
  checkLength(maxLength, { name: MODEL, contextLength });
  const prepared = await prepareMessages({ data, seed, contextLength, print });
  makeLoaders(datasetsOf(prepared, maxLength, contextLength), BATCH_SIZE); // finds a mistake before the work begins
  const page = options.out ?? defaultPage(prepared, options.runs);
  const figure = `${page.replace(/\.md$/i, '')}.svg`;
  await io.requireWritableFolder(dirname(page));
  for (const path of [page, figure])
    if (io.kindOfPath(path) === 'folder')
      throw new UserError(`${path} is a folder, and a file of that name is written: give another --out`);
  print(`Messages: ${prepared.source}`);

  const circumstances: Circumstances = {
    data: data ?? (prepared.synthetic ? 'stand-in' : undefined), // no download is tried again in every run
    ...{ splitSeed: seed, maxLength, epochs },
  };
  const runs = await makeRuns(tasks, circumstances, prepared, options, print);
  const rows = tableOf(runs);
  print(formatTable(HEADER, rows.map(cellsOf)));

  const dataAndSeed = onData(prepared.source, seed);
  const each = seeds.length === 1 ? 'one run each' : `mean and standard deviation of ${seeds.length} runs`;
  const drawn = await figureOf(rows, `${dataAndSeed}; ${each}`);
  const { train, valid, test } = prepared.parts;
  const text = pageOf(rows, {
    ...{ data: dataAndSeed, synthetic: prepared.synthetic, seeds, epochs },
    sizes: { train: train.length, valid: valid.length, test: test.length },
    ...{ command: commandOf(options), figure: basename(figure), results: runs.map(({ result }) => result) },
  });
  await io.replaceTogether(dirname(page), { [basename(page)]: text, [basename(figure)]: drawn });
  print(`Table and figure: ${page}, ${figure}`);
}

if (isProgram(import.meta.url)) {
  await runMain(async () => {
    const options = await readCommandLine({
      command: 'npm run compare --',
      summary:
        'Trains the head, the last block, LoRA of several ranks, and everything, from mini and from random weights, each\n' +
        'with several seeds and in a process of its own, and writes a table and a figure. Finished runs are kept: if it is\n' +
        'stopped or killed, the same command goes on.',
      options: OPTIONS,
      examples: [
        'npm run compare -- --data stand-in',
        'npm run compare -- --methods last-block,lora-16 --seeds 1',
      ],
    });
    await run(options, openTerminal());
  });
}
