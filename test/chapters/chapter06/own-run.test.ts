import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import {
  classProbabilities,
  loadClassifier,
  prepareMessages,
  readClassifierSettings,
} from '../../../chapters/chapter06/index.ts';
import { OPTIONS, type Options, run } from '../../../chapters/chapter06/run.ts';
import { askingOf } from '../../../chapters/commands/adapter/asking.ts';
import { loadAnyClassifier, loadWithAdapter } from '../../../chapters/commands/adapter/base-model.ts';
import { evaluate, printEvaluation, readLabelled } from '../../../chapters/commands/evaluate/classifier.ts';
import { Notebook } from '../../../chapters/common/notebook.ts';
import { defaultValues } from '../../../chapters/common/options.ts';
import { failure } from '../../support/failure.ts';

const TEXTS = fileURLToPath(new URL('../../fixtures/tables/texts.csv', import.meta.url));

describe("a run on one's own data", function () {
  this.timeout(60_000);
  const out = mkdtempSync(join(tmpdir(), 'own-run-'));
  const folder = join(out, 'chapter06', 'head-classifier');
  const lines: string[] = [];
  const notebook = new Notebook('chapter06', (line) => lines.push(line), { quiet: true });
  before(() => {
    const chosen = { data: TEXTS, method: 'head', epochs: 1, batchSize: 4, out };
    return run(notebook, { ...defaultValues(OPTIONS), ...chosen } as unknown as Options);
  });
  after(() => rmSync(out, { recursive: true }));

  it('ends with each class: how many, found, taken for what, against the most frequent class', async () => {
    const { parts, labels } = await prepareMessages({ data: TEXTS, contextLength: 256 });
    const text = lines.join('\n');
    expect(text).to.match(/\nhead: \d+\.\d\d% of the test part is right, (no better than|against) .*'/);
    labels!.forEach((label, i) => {
      const count = parts.test.filter((row) => row.label === i).length;
      expect(text).to.match(new RegExp(`\n${label} +${count} +\\d`));
    });
    const { results, majority } = JSON.parse(JSON.stringify(notebook.figures));
    expect(results[0].confusion.flat().reduce((a: number, b: number) => a + b)).to.equal(parts.test.length);
    expect(majority.share).to.be.within(0.25, 1);
  });

  it('is told what was used, so that a result can be traced to its run', () => {
    const { results, data, maxLength } = JSON.parse(JSON.stringify(notebook.figures));
    expect(results[0].used).to.deep.equal({
      ...{ lr: 5e-3, schedule: 'cosine', epochs: 1, seed: 42, batchSize: 4, weightDecay: 0.1, keep: 'last' },
    });
    expect(maxLength).to.be.within(1, 256);
    expect(data.sha256).to.match(/^[0-9a-f]{64}$/);
    expect(data.sizes.train + data.sizes.valid + data.sizes.test).to.equal(40);
  });

  it('leaves a classifier that is asked again with the same answers', async () => {
    expect(lines.join('\n')).to.include(`npm run adapter -- classify --adapter ${folder} "your message"`);
    const settings = readClassifierSettings(folder)!;
    expect(settings).to.deep.include({
      labels: ['billing', 'delivery', 'returns & refunds', '技術'],
      model: 'mini',
    });
    const { parts } = await prepareMessages({ data: TEXTS, contextLength: 256 });
    const texts = parts.test.map(({ text }) => text);
    const model = loadClassifier(folder, { ...settings, model: 'mini' });
    const named = classProbabilities(texts, model, settings).map((row) => row.indexOf(Math.max(...row)));
    const { results } = JSON.parse(JSON.stringify(notebook.figures));
    const right = named.filter((label, i) => label === parts.test[i].label).length;
    expect(right / named.length).to.equal(results[0].accuracy.test);

    const loaded = await loadAnyClassifier({ adapter: folder, model: undefined, weights: undefined });
    expect(askingOf(loaded).logitsOf(texts).argmax(-1).toFlatArray()).to.deep.equal(named);
    const options = { adapter: folder, model: undefined, weights: undefined };
    expect(await failure(loadWithAdapter(options))).to.match(/holds a whole classifier, and no adapter/);
    expect(await failure(loadAnyClassifier({ ...options, model: 'mini' }))).to.match(/leave --model out/);
  });

  it('is evaluated on labelled texts: accuracy, loss, each class, the confusion, against the majority', async () => {
    const loaded = await loadAnyClassifier({ adapter: folder, model: undefined, weights: undefined });
    const asking = askingOf(loaded);
    const rows = await readLabelled({ data: TEXTS }, () => {});
    const evaluation = evaluate(asking, rows, TEXTS);
    const logits = asking
      .logitsOf(rows.map(({ text }) => text))
      .logSoftmax(-1)
      .toArray() as number[][];
    const numbers = rows.map(({ label }) => asking.labels.indexOf(label));
    const loss = numbers.reduce((sum, label, i) => sum - logits[i][label], 0) / 40;
    const right = numbers.filter((label, i) => logits[i].indexOf(Math.max(...logits[i])) === label).length;
    expect(evaluation).to.include({ texts: 40, accuracy: right / 40 });
    expect(evaluation.loss).to.be.closeTo(loss, 1e-5);
    expect(evaluation.confusion.map((row) => row.reduce((a, b) => a + b))).to.deep.equal(
      evaluation.classes.map(({ count }) => count),
    );
    const printed: string[] = [];
    printEvaluation(evaluation, (line) => printed.push(line));
    expect(printed[0]).to.match(/^Accuracy \d+\.\d\d% \(\d+ of 40 texts\), (no better than|against) /);
    expect(printed[1]).to.match(/^Loss \d\.\d{4} nats \(1\.3863 by guessing\); F1 \d/);
    expect(printed.at(-1)).to.match(/^class +billing +delivery +returns & refunds +技術\n/);
  });

  it('names a text of a class that the classifier does not know, and takes other spellings', async () => {
    const loaded = await loadAnyClassifier({ adapter: folder, model: undefined, weights: undefined });
    const data = join(out, 'labelled.csv');
    writeFileSync(data, 'text,label\nWhere is it?,Delivery\nPay me, BILLING \n');
    const rows = await readLabelled({ data }, () => {});
    expect(evaluate(askingOf(loaded), rows, data).classes.map(({ count }) => count)).to.deep.equal([
      1, 1, 0, 0,
    ]);
    writeFileSync(data, 'text,label\nWhere is it?,delivery\nHelp,support\n');
    const unknown = await readLabelled({ data }, () => {});
    expect(() => evaluate(askingOf(loaded), unknown, data)).to.throw(
      /labelled\.csv, line 3: the classifier has no class 'support'; its classes are billing, delivery/,
    );
  });
});
