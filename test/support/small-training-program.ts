import { parseOptions, runMain } from '../../chapters/common/command-line.ts';
import { TRAINING_OPTIONS } from '../../chapters/common/training.ts';
import { trainSmall } from './small-training.ts';

/** The small training as a program, with a pause in every step, so that it can be killed from outside. */
await runMain(async () => {
  const options = parseOptions({
    command: 'small-training',
    summary: 'Trains next to nothing.',
    options: {
      ...TRAINING_OPTIONS,
      folder: { type: 'path', access: 'writeFolder', help: 'for the checkpoints', default: '.' },
      pause: { type: 'number', help: 'milliseconds per step', default: 0 },
    },
  });
  const { pause, ...rest } = options;
  const clock = new Int32Array(new SharedArrayBuffer(4));
  const result = await trainSmall({
    ...rest,
    beforeStep: (step) => {
      process.stderr.write(`${step};`);
      Atomics.wait(clock, 0, 0, pause);
    },
  });
  console.log(JSON.stringify(result));
});
