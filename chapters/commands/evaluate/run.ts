/** `npm run evaluate`: how good a fine-tuned classifier is on labelled texts. */

import { io, UserError, useBackend } from '../../../lib/index.ts';
import { OWN_DATA_OPTIONS } from '../../chapter06/index.ts';
import { isProgram } from '../../common/cli.ts';
import { readCommandLine, runMain } from '../../common/command-line.ts';
import { COMMON_OPTIONS, inGroup } from '../../common/options.ts';
import { openTerminal } from '../../common/terminal.ts';
import { askingOf } from '../adapter/asking.ts';
import { ADAPTER_OPTIONS, loadAnyClassifier, requireAdapter } from '../adapter/base-model.ts';
import { evaluate, printEvaluation, readLabelled } from './classifier.ts';

const { textColumn, labelColumn } = OWN_DATA_OPTIONS;
const { backend, threads, json } = COMMON_OPTIONS;

export const OPTIONS = {
  ...inGroup('Data', {
    data: {
      type: 'path',
      access: 'read',
      words: ['stand-in'],
      help: "labelled texts: a table, SMSSpamCollection, 'stand-in', or a folder that npm run data wrote, of which the test part is taken",
      placeholder: 'PATH',
    },
    ...{ textColumn, labelColumn },
  }),
  ...inGroup('Model', ADAPTER_OPTIONS),
  ...{ json, backend, threads },
} as const;

if (isProgram(import.meta.url)) {
  await runMain(async () => {
    const options = await readCommandLine({
      command: 'npm run evaluate --',
      summary:
        'Asks a fine-tuned classifier about labelled texts: accuracy, against always naming the most frequent class; ' +
        'loss; precision, recall and F1 of each class; and which class is taken for which.',
      options: OPTIONS,
      examples: [
        'npm run evaluate -- --adapter runs/chapter06/adapter --data labelled.csv',
        'npm run evaluate -- --adapter runs/chapter06/full-classifier --data data/sms',
      ],
    });
    const { data } = options;
    if (data === undefined) throw new UserError('no labelled texts are given: name them with --data PATH');
    requireAdapter(options.adapter);
    const print = openTerminal();
    const engine = await useBackend(options.backend, { threads: options.threads });
    const rows = await readLabelled({ ...options, data }, print);
    const loaded = await loadAnyClassifier(options);
    const evaluation = evaluate(askingOf(loaded), rows, data);
    printEvaluation(evaluation, print);
    if (options.json === undefined) return;
    const used = { adapter: loaded.folder, data, backend: engine, node: process.versions.node };
    await io.writeFileAtomically(options.json, `${JSON.stringify({ ...used, ...evaluation }, null, 2)}\n`);
    print(`Figures written to ${options.json}`);
  });
}
