/** `npm run data`: writes the training, validation and test set as parquet files. */

import { parseOptions, runMain } from '../../../lib/io/cli.ts';
import { DEFAULT_FOLDER, prepareSplits } from './prepare.ts';
import { DEFAULT_SEED } from './split.ts';

await runMain(async () => {
  const { from, out, seed } = parseOptions({
    command: 'npm run data --',
    summary:
      'Balances the SMS Spam Collection, splits it 70 / 10 / 20 and writes train.parquet, valid.parquet and\n' +
      'test.parquet with the columns Label (0 ham, 1 spam) and Text. Without a local copy it is downloaded\n' +
      'once; without a network a synthetic stand-in is used.',
    options: {
      from: {
        type: 'string',
        placeholder: 'PATH',
        help: "the SMSSpamCollection file or its zip, or 'stand-in' for the synthetic messages",
      },
      out: { type: 'string', placeholder: 'DIR', help: 'where to write', default: DEFAULT_FOLDER },
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
  const { train, validation, test, messages, source } = await prepareSplits({ data: from, out, seed });
  console.log(
    `${messages.ham + messages.spam} messages (${messages.ham} ham, ${messages.spam} spam) from ${source}`,
  );
  for (const { path, rows, spam } of [train, validation, test]) {
    console.log(`${path}: ${rows} rows (${rows - spam} ham, ${spam} spam)`);
  }
});
