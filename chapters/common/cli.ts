/** A chapter as a command of Node: its options and the common ones, the engine, the terminal, and `--json` at the end. */

import { readFileSync, realpathSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { io, useBackend } from '../../lib/index.ts';
import { readCommandLine, runMain } from './command-line.ts';
import { describeEngine, noteTraffic } from './engine.ts';
import { runThroughLostGpu } from './lost-gpu.ts';
import { Notebook } from './notebook.ts';
import { COMMON_OPTIONS, type OptionSpecs, type OptionValues } from './options.ts';
import { setProgressDisplay } from './progress.ts';
import { openTerminal } from './terminal.ts';

export interface ChapterSpec<Options extends OptionSpecs> {
  /** As in `npm run chapter06`. */
  chapter: string;
  summary: string;
  options: Options;
  /** Its own folder in `--out`; usually the chapter's name. */
  folder?: string;
  /** Is what it prints a result that is piped on? What is said about the work then goes to stderr. */
  printsResult?(options: OptionValues<Options>): boolean;
  /** Options that are worth trying, as --help shows them below: `--method all`. */
  examples?: readonly string[];
  run(notebook: Notebook, options: OptionValues<Options & typeof COMMON_OPTIONS>): void | Promise<void>;
}

/** Runs a chapter as a command. */
export async function runChapter<const Options extends OptionSpecs>(
  spec: ChapterSpec<Options>,
): Promise<void> {
  await runMain(async () => {
    const options = { ...spec.options, ...COMMON_OPTIONS };
    const command = `npm run ${spec.chapter} --`;
    const examples = spec.examples?.map((example) => `${command} ${example}`);
    const folder = spec.folder ?? spec.chapter;
    const values = (await readCommandLine({
      ...{ command, summary: spec.summary, options, examples, folder },
    })) as OptionValues<Options & typeof COMMON_OPTIONS>;
    const common = values as OptionValues<typeof COMMON_OPTIONS>;

    const { quiet } = common;
    const isPiped = spec.printsResult?.(values) ?? false;
    const printLine = openTerminal(isPiped ? process.stderr : process.stdout);
    const terminal = isPiped ? (line: string) => console.error(line) : printLine;
    if (quiet) setProgressDisplay(undefined);
    const engine = await useBackend(common.backend, { threads: common.threads, gpuMode: common.gpuMode });
    const start = performance.now();
    let isAnnounced = quiet;
    // A mistake that is found before anything is printed stands alone.
    const announce = () => {
      if (!isAnnounced) terminal(`Engine: ${describeEngine(engine)}`);
      isAnnounced = true;
    };
    const attempt = async (write: (line: string) => void) => {
      const print = (line: string) => {
        announce();
        write(line);
      };
      const notebook = new Notebook(spec.chapter, print, { quiet });
      notebook.figure('backend', engine);
      notebook.figure('node', process.versions.node);
      await spec.run(notebook, values);
      return notebook;
    };
    const notebook = await runThroughLostGpu(attempt, terminal, () => {
      return useBackend('wasm', { threads: common.threads });
    });
    noteTraffic(notebook);
    notebook.figure('seconds', Number(((performance.now() - start) / 1000).toFixed(2)));
    if (common.json) {
      const written = { version: packageVersion(), options: values, ...notebook.toJSON() };
      await io.writeFileAtomically(common.json, `${JSON.stringify(written, null, 2)}\n`);
      notebook.result(`Options and figures written to ${common.json}`);
    }
  });
}

/** The version of this project, as its package.json has it. */
function packageVersion(): string {
  return JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version;
}

/** Is this module the program that node was asked to run, rather than one that is imported? */
export function isProgram(moduleUrl: string): boolean {
  return process.argv[1] !== undefined && moduleUrl === pathToFileURL(realpathSync(process.argv[1])).href;
}
