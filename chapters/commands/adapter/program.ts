import { useBackend } from '../../../lib/index.ts';
import { parseCommand } from '../../common/command-line.ts';
import { COMMON_OPTIONS, type OptionSpecs, type OptionValues } from '../../common/options.ts';
import { checkPaths } from '../../common/paths.ts';

/** One of the commands under `npm run adapter --`. */
export interface AdapterCommand<Options extends OptionSpecs = OptionSpecs> {
  summary: string;
  /** The words that it takes besides its options, as --help shows them. */
  words?: string;
  options: Options;
  run(options: OptionValues<Options>, words: readonly string[]): Promise<void>;
}

/** Keeps the types of the options together, which a list of commands could not. */
export function defineCommand<const Options extends OptionSpecs>(
  command: AdapterCommand<Options>,
): AdapterCommand {
  return command as unknown as AdapterCommand;
}

const { backend, threads } = COMMON_OPTIONS;

/** Reads the command's options, looks at its paths, starts the engine, and runs it. */
export async function runCommand(
  name: string,
  command: AdapterCommand,
  argv: readonly string[],
): Promise<void> {
  const options = { ...command.options, backend, threads };
  const spec = {
    command: `npm run adapter -- ${name}`,
    summary: command.summary,
    words: command.words,
    options,
  };
  const { options: values, words } = parseCommand(spec, argv);
  await checkPaths(options, values);
  const chosen = values as OptionValues<{ backend: typeof backend; threads: typeof threads }>;
  await useBackend(chosen.backend, { threads: chosen.threads });
  await command.run(values, words);
}

/** What is said about the work, and not part of the result: it goes to stderr, so that the result can be piped. */
export function say(line: string): void {
  console.error(line);
}
