/** `npm run data`: writes the training, validation and test part as parquet files, for `--data FOLDER`. */

import { classNames, DEFAULT_SEED, IS_SPLIT, OWN_DATA_OPTIONS, prepareMessages } from '../chapter06/index.ts';
import { isProgram } from '../common/cli.ts';
import { readCommandLine, runMain } from '../common/command-line.ts';
import { inGroup } from '../common/options.ts';
import { openTerminal } from '../common/terminal.ts';
import { keptAt, type LabelledText, MESSAGES, writeParts } from '../datasets/index.ts';

export const OPTIONS = {
  ...inGroup('Data', {
    from: {
      type: 'path',
      access: 'read',
      words: ['stand-in'],
      otherwise: keptAt(MESSAGES),
      placeholder: 'PATH',
      help: "the SMSSpamCollection file or its zip, 'stand-in' for the synthetic messages, or a table of your own",
    },
    ...OWN_DATA_OPTIONS,
    seed: {
      type: 'number',
      help: "of the balancing and the split; the book's is 123",
      default: DEFAULT_SEED,
      counts: IS_SPLIT,
      integer: true,
      min: 0,
      max: 2 ** 32 - 1,
    },
  }),
  ...inGroup('Output', {
    out: {
      type: 'path',
      access: 'writeFolder',
      placeholder: 'DIR',
      help: 'where to write',
      default: 'data/sms',
      files: ['train.parquet', 'valid.parquet', 'test.parquet'],
    },
  }),
} as const;

if (isProgram(import.meta.url)) {
  await runMain(async () => {
    const { from, out, ...options } = await readCommandLine({
      command: 'npm run data --',
      summary:
        'Balances the SMS Spam Collection, splits it 70 / 10 / 20 and writes train.parquet, valid.parquet and ' +
        'test.parquet with the columns Label (0 ham, 1 spam) and Text, which chapter06 and appendixE read with ' +
        '--data DIR. Without a local copy it is downloaded once; without a network a synthetic stand-in is used. ' +
        'A table of your own is split class by class and not balanced; the files keep the names of its classes.',
      options: OPTIONS,
      examples: [
        'npm run data -- --from SMSSpamCollection',
        'npm run data -- --from tickets.csv --out data/tickets',
      ],
    });
    const print = openTerminal();
    const prepared = await prepareMessages({ ...options, data: from, print });
    const { parts, before, source, synthetic, notes = [], labels } = prepared;
    const names = classNames(prepared);
    const count = (numbers: readonly number[]) =>
      names.map((name, i) => `${numbers.filter((number) => number === i).length} ${name}`).join(', ');
    for (const line of notes) print(line);
    const all = before
      ? before.messages.map(({ label }) => names.indexOf(label))
      : Object.values(parts).flatMap((rows: LabelledText[]) => rows.map(({ label }) => label));
    print(`${all.length} messages (${count(all)}) from ${source}`);
    const files = await writeParts(out, parts, synthetic, labels);
    for (const part of ['train', 'valid', 'test'] as const) {
      const numbers = parts[part].map(({ label }) => label);
      print(`${files[part]}: ${numbers.length} rows (${count(numbers)})`);
    }
  });
}
