/** Programs of several commands, each with options of its own: `npm run adapter -- merge …`, `npm run bench -- step …`. */

import { HelpRequested, nearest } from './command-line.ts';
import { UsageError } from './options.ts';

/** What of a command is shown among the others: the first line of what it does. */
interface Listed {
  readonly summary: string;
}

/**
 * The command that is asked for, and the words behind its name.
 *
 * @param command how the program is called, e.g. `npm run adapter --`
 * @throws UsageError if there is no command of that name
 * @throws HelpRequested on --help or -h in its place
 */
export function chooseCommand<Name extends string>(
  { command, summary, commands }: { command: string; summary: string; commands: Record<Name, Listed> },
  argv: readonly string[] = process.argv.slice(2),
): [name: Name, argv: string[]] {
  const [name, ...rest] = argv;
  const names = Object.keys(commands) as Name[];
  if (name === '--help' || name === '-h') {
    const width = Math.max(10, ...names.map((each) => each.length + 2));
    const lines = names.map((each) => `  ${each.padEnd(width)}${commands[each].summary.split('\n')[0]}`);
    const usage = `Usage: ${command} COMMAND [options]\n\n${summary}\n`;
    throw new HelpRequested(
      [usage, ...lines, `\n\`${command} COMMAND --help\` lists the options of each.`].join('\n'),
    );
  }
  if (name !== undefined && Object.hasOwn(commands, name)) return [name as Name, rest];
  const meant = name && nearest(name, names);
  const found = name === undefined ? 'a command is missing' : `there is no command '${name}'`;
  const hint = meant ? `did you mean ${meant}?` : `give one of ${names.join(', ')}`;
  throw new UsageError(`${found}; ${hint} (${command} --help)`);
}
