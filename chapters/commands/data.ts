/** `npm run data`: writes the training, validation and test part as parquet files, for `--data FOLDER`. */

import { prepareMessages } from '../chapter06/02-preparing-the-dataset.ts';
import { DEFAULT_SEED } from '../chapter06/split.ts';
import { readCommandLine, runMain } from '../common/command-line.ts';
import { writeParts } from '../datasets/index.ts';

await runMain(async () => {
  const { from, out, seed } = await readCommandLine({
    command: 'npm run data --',
    summary:
      'Balances the SMS Spam Collection, splits it 70 / 10 / 20 and writes train.parquet, valid.parquet and\n' +
      'test.parquet with the columns Label (0 ham, 1 spam) and Text, which chapter06 and appendixE read with\n' +
      '--data DIR. Without a local copy it is downloaded once; without a network a synthetic stand-in is used.',
    options: {
      from: {
        type: 'path',
        access: 'read',
        words: ['stand-in'],
        placeholder: 'PATH',
        help: "the SMSSpamCollection file or its zip, or 'stand-in' for the synthetic messages",
      },
      out: {
        type: 'path',
        access: 'writeFolder',
        placeholder: 'DIR',
        help: 'where to write',
        default: 'data/sms',
      },
      seed: {
        type: 'number',
        help: "of the balancing and the split; the book's is 123",
        default: DEFAULT_SEED,
        integer: true,
        min: 0,
        max: 2 ** 32 - 1,
      },
    },
  });
  const { parts, before, source, synthetic } = await prepareMessages({
    data: from,
    seed,
    print: console.log,
  });
  const count = (labels: readonly (string | number)[]) => {
    const spam = labels.filter((label) => label === 'spam' || label === 1).length;
    return `${labels.length - spam} ham, ${spam} spam`;
  };
  if (before) {
    const labels = before.messages.map(({ label }) => label);
    console.log(`${labels.length} messages (${count(labels)}) from ${source}`);
  }
  const files = await writeParts(out, parts, synthetic);
  for (const part of ['train', 'valid', 'test'] as const) {
    const labels = parts[part].map(({ label }) => label);
    console.log(`${files[part]}: ${labels.length} rows (${count(labels)})`);
  }
});
