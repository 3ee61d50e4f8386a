import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { MINI_WEIGHTS, obtainModel } from '../../chapters/chapter05/index.ts';
import { fineTune } from '../../chapters/chapter06/07-fine-tuning.ts';
import {
  lastPositionOnly,
  makeDatasets,
  makeLoaders,
  prepareForMethod,
  prepareMessages,
  replaceHead,
} from '../../chapters/chapter06/index.ts';
import { classify, influence } from '../../docs/site/worker/answers.ts';
import { dosed } from '../../docs/site/worker/dose.ts';
import { Experiment, type Messages } from '../../docs/site/worker/experiment.ts';
import type { Report, Settings } from '../../docs/site/worker/lab-messages.ts';
import { nn, rand } from '../../lib/index.ts';

const SETTINGS: Settings = {
  method: 'lora',
  rank: 2,
  alpha: 4,
  scaling: 'alpha/r',
  targets: [],
  lr: 2e-3,
  seed: 42,
  epochs: 3,
  batchSize: 2,
};

/** The lab's worker without a page: the same code, in Node. */
describe("the lab's experiment", () => {
  let folder: string;
  let messages: Messages;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'lab-'));
    const { parts } = await prepareMessages({ data: 'stand-in', seed: 42, print: () => {} });
    const short = (part: typeof parts.train) => part.filter(({ text }) => text.length < 40).slice(0, 6);
    const few = { train: short(parts.train), valid: short(parts.valid), test: short(parts.test) };
    const datasets = makeDatasets(few, { name: 'mini', contextLength: 256 });
    messages = { datasets, source: 'the stand-in', synthetic: true, fingerprint: 'stand-in' };
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** Losses of the terminal's training. */
  async function terminalLosses(): Promise<number[]> {
    const model = (await obtainModel({ model: 'mini', weights: MINI_WEIGHTS })).eval();
    replaceHead(model, SETTINGS.seed);
    const { rank, alpha } = SETTINGS;
    prepareForMethod(model, 'lora', { rank, alpha });
    const loaders = makeLoaders(messages.datasets, SETTINGS.batchSize);
    const history = await fineTune(model, loaders, {
      logitsOf: lastPositionOnly(model),
      ...{
        method: 'lora',
        lr: SETTINGS.lr,
        schedule: 'cosine',
        epochs: SETTINGS.epochs,
        seed: SETTINGS.seed,
      },
      print: () => {},
      saving: { folder: join(folder, 'terminal'), options: {}, print: () => {} },
    });
    return history.stepLosses;
  }

  const lossesOf = (reports: readonly Report[]) =>
    reports.flatMap((told) => ('loss' in told ? [told.loss] : []));

  it("has the terminal's losses to the last bit, whatever is asked between two steps", async () => {
    const expected = await terminalLosses();
    expect(expected).to.have.length(9);
    const experiment = await Experiment.begin(SETTINGS, messages);
    const { model, maxLength } = experiment;
    const reports: Report[] = [];
    for (let step = 0; step < expected.length; step++) {
      const { finished } = await experiment.run(1, (told) => reports.push(told));
      expect(finished !== undefined).to.equal(step === expected.length - 1);
      classify({ model, maxLength }, { text: 'You have won', strength: 0.5 });
      await experiment.accuracy();
      rand([5]); // as an adapter that is loaded does
    }
    expect(lossesOf(reports)).to.deep.equal(expected);
  });

  it('goes on from a checkpoint to the same losses, and refuses one of other settings or messages', async () => {
    const checkpoints = join(folder, 'checkpoints');
    const whole = await Experiment.begin(SETTINGS, messages);
    const first: Report[] = [];
    const stopped = whole.run(
      Number.POSITIVE_INFINITY,
      (told) => {
        first.push(told);
        if ('loss' in told && told.step === 4) whole.stop();
      },
      checkpoints,
    );
    expect(await stopped).to.deep.equal({ step: 4 });
    const later: Report[] = [];
    await whole.run(Number.POSITIVE_INFINITY, (told) => later.push(told));

    const again = await Experiment.begin(SETTINGS, messages);
    expect(again.goOn(checkpoints)).to.deep.equal(lossesOf(first));
    const rest: Report[] = [];
    const { step, finished } = await again.run(Number.POSITIVE_INFINITY, (told) => rest.push(told));
    expect(step).to.equal(9);
    expect(finished?.seconds).to.equal(undefined);
    expect(lossesOf(rest)).to.deep.equal(lossesOf(later));

    for (const [other, data, what] of [
      [{ ...SETTINGS, alpha: 8 }, messages, /alpha \(4 there, 8 here\)/],
      [
        SETTINGS,
        { ...messages, source: 'own.zip', fingerprint: 'abc' },
        /the messages \(the stand-in there, own.zip here\)/,
      ],
    ] as const) {
      const foreign = await Experiment.begin(other, data);
      expect(() => foreign.goOn(checkpoints)).to.throw(what);
      expect(foreign.step).to.equal(0);
    }
  });

  it('a training that is under way is neither doubled nor taken back', async () => {
    const experiment = await Experiment.begin(SETTINGS, messages);
    const running = experiment.run(2, () => {});
    expect(experiment.isTraining).to.equal(true);
    let refused = '';
    await experiment
      .run(1, () => {})
      .catch((error) => {
        refused = error.message;
      });
    expect(refused).to.equal('a training is under way');
    expect(() => experiment.goOn(folder)).to.throw('pause it first');
    expect(await running).to.deep.equal({ step: 2 });
  });

  it('a counting that is stopped is refused, and the training goes on from where it was', async () => {
    const experiment = await Experiment.begin({ ...SETTINGS, epochs: 1 }, messages);
    const counting = experiment.accuracy();
    experiment.stop();
    expect(await counting.catch((error) => error.message)).to.equal('stopped before all was counted');
    const { finished } = await experiment.run(Number.POSITIVE_INFINITY, () => {});
    expect(finished?.accuracy).to.have.keys('train', 'valid', 'test');
  });

  it('a message that is refused changes nothing, at any strength', async () => {
    const { model, maxLength } = await Experiment.begin(SETTINGS, messages);
    const layers = Array.from(model.namedModules(), ([, each]) => each).filter(
      (each) => each instanceof nn.LinearWithLoRA,
    );
    const before = layers.map(({ lora: { A, B } }) => ({ A, B }));
    const text = 'the end <|endoftext|>';
    const refused = /contains <\|endoftext\|>/;
    expect(() => classify({ model, maxLength }, { text, strength: 0.5 })).to.throw(refused);
    const error = await influence({ model, maxLength }, { text, strength: 0.5, directions: 1 }).catch(
      (e) => e,
    );
    expect(error.message).to.match(refused);
    const late = dosed(model, { strength: 2 }, async () => {
      throw new Error('later');
    });
    expect(await late.catch((e: Error) => e.message)).to.equal('later');
    layers.forEach(({ lora }, i) => {
      expect(lora.A).to.equal(before[i].A);
      expect(lora.B).to.equal(before[i].B);
    });
  });
});
