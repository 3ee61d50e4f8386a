import { HelpRequested, nearest, runMain } from '../../common/command-line.ts';
import { UsageError } from '../../common/options.ts';
import { openTerminal } from '../../common/terminal.ts';
import { CLASSIFY } from './classify.ts';
import { HANDOVER } from './handover.ts';
import { INSPECT } from './inspect.ts';
import { MERGE } from './merge.ts';
import { type AdapterCommand, runCommand } from './program.ts';

/** `npm run adapter -- classify|inspect|merge|handover`: a LoRA adapter after its training. */
const COMMANDS: Record<string, AdapterCommand> = {
  classify: CLASSIFY,
  inspect: INSPECT,
  merge: MERGE,
  handover: HANDOVER,
};

const HELP = [
  'Usage: npm run adapter -- COMMAND [options]\n',
  "What can be done with a LoRA adapter, a folder in PEFT's format, after its training.\n",
  ...Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(10)}${summary.split('\n')[0]}`),
  '\n`npm run adapter -- COMMAND --help` lists the options of each.',
].join('\n');

await runMain(async () => {
  openTerminal();
  const [name, ...argv] = process.argv.slice(2);
  if (name === '--help' || name === '-h') throw new HelpRequested(HELP);
  const names = Object.keys(COMMANDS);
  if (name === undefined || !Object.hasOwn(COMMANDS, name)) {
    const meant = name && nearest(name, names);
    const found = name === undefined ? 'a command is missing' : `there is no command '${name}'`;
    const hint = meant ? `did you mean ${meant}?` : `give one of ${names.join(', ')}`;
    throw new UsageError(`${found}; ${hint} (npm run adapter -- --help)`);
  }
  await runCommand(name, COMMANDS[name], argv);
});
