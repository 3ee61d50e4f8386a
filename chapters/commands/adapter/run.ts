import { runMain } from '../../common/command-line.ts';
import { chooseCommand } from '../../common/several-commands.ts';
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

await runMain(async () => {
  openTerminal();
  const [name, argv] = chooseCommand({
    command: 'npm run adapter --',
    summary: "What can be done with a LoRA adapter, a folder in PEFT's format, after its training.",
    commands: COMMANDS,
  });
  await runCommand(name, COMMANDS[name], argv);
});
