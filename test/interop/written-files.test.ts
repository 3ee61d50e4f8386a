import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { GPTModel } from '../../chapters/chapter04/index.ts';
import { loadWeightsIntoGpt, toOpenAI } from '../../chapters/chapter05/index.ts';
import { hubConfig } from '../../chapters/commands/adapter/hub-config.ts';
import { mergeIntoLinears } from '../../chapters/commands/adapter/merge.ts';
import { TrainingPlace } from '../../chapters/common/training.ts';
import { readParts, writeParts } from '../../chapters/datasets/index.ts';
import { io, manualSeed, nn, noGrad, optim, randn, type Tensor, tensor } from '../../lib/index.ts';
import { expectTensor } from '../support/close.ts';

/** Files written here, read back here and, where LLMS_PYTHON names a Python that has them, by those who own the formats. */
const PYTHON = process.env.LLMS_PYTHON ?? 'python3';
const NEEDED = ['torch', 'transformers', 'pandas', 'pyarrow', 'safetensors'];
const SIZES = {
  vocabSize: 20,
  contextLength: 6,
  embDim: 8,
  nHeads: 2,
  nLayers: 2,
  dropRate: 0,
  qkvBias: true,
};
const IDS = [
  [1, 5, 3],
  [7, 0, 19],
];

describe('files that are written here', function () {
  this.timeout(300_000);
  const folder = mkdtempSync(join(tmpdir(), 'written-'));
  after(() => rmSync(folder, { recursive: true }));

  /** A model with LoRA on every Linear, the head too, merged; its folder in the hub's layout; and its logits. */
  async function merged(name: string, classes?: number): Promise<[string, Tensor]> {
    manualSeed(5);
    const model = new GPTModel(SIZES).eval();
    if (classes) model.outHead = new nn.Linear(SIZES.embDim, classes, { bias: false });
    nn.replaceLinearWithLoRA(model, { rank: 2, alpha: 3 });
    noGrad(() => {
      for (const [path, p] of model.namedParameters())
        if (path.endsWith('.B')) p.copyInPlace(randn(...p.shape));
    });
    const logits = logitsOf(model);
    mergeIntoLinears(model);
    expectTensor(logitsOf(model), logits, 1e-4);
    const place = join(folder, name);
    const beside = { 'config.json': JSON.stringify(hubConfig(model)) };
    await io.saveTensors(join(place, 'model.safetensors'), toOpenAI(model), {
      metadata: { format: 'pt' },
      beside,
    });
    return [place, logits];
  }
  const logitsOf = (model: GPTModel) => noGrad(() => model.forward(tensor(IDS, { dtype: 'int32' })));

  it('are read back here', async () => {
    const [place, logits] = await merged('read-back');
    const again = new GPTModel(SIZES).eval();
    io.withTensors(place, 'the weights', (weights) => loadWeightsIntoGpt(again, weights));
    expectTensor(logitsOf(again), logits, 1e-4);
  });

  it('are what transformers, pandas and safetensors read', async function () {
    if (spawnSync(PYTHON, ['-c', `import ${NEEDED.join(', ')}`]).status !== 0) {
      console.log(
        `    (${PYTHON} lacks one of ${NEEDED.join(', ')}: set LLMS_PYTHON to a Python that has them)`,
      );
      this.skip();
    }
    const [place, logits] = await merged('merged');
    const [classifier, answers] = await merged('classifier', 3);
    const text = (name: string) => [
      { text: `${name}: “a”, \n\t"b" ü`, label: 1 },
      { text: '', label: 0 },
    ];
    const parts = { train: text('train'), valid: text('valid'), test: text('test') };
    const data = join(folder, 'data');
    await writeParts(data, parts, false);
    expect((await readParts(data)).parts).to.deep.equal(parts);
    const model = new nn.Linear(3, 2);
    const optimizer = new optim.AdamW(model.parameters(), { lr: 0.1 });
    model.forward(randn(4, 3)).sum().backward();
    optimizer.step();
    const about = { place: new TrainingPlace({}).save(), process: '', engine: '', settings: {} };
    await io.writeCheckpoint(folder, { model, optimizer }, about);
    const checkpoint = join(folder, 'checkpoint.safetensors');

    const task = { merged: place, classifier, ids: IDS, data, tensors: [checkpoint] };
    const run = spawnSync(PYTHON, [fileURLToPath(new URL('read_files.py', import.meta.url))], {
      input: JSON.stringify(task),
      encoding: 'utf8',
      maxBuffer: 1e8,
    });
    expect(run.status, run.stderr).to.equal(0);
    const read = JSON.parse(run.stdout);
    expectTensor(tensor(read.merged), logits, 1e-4);
    expectTensor(tensor(read.classifier), answers.select(1, -1), 1e-4);
    for (const [part, [labels, texts]] of Object.entries<[number[], string[]]>(read.data)) {
      const rows = parts[part as keyof typeof parts];
      expect(labels).to.deep.equal(rows.map(({ label }) => label));
      expect(texts).to.deep.equal(rows.map(({ text }) => text));
    }
    const sums: Record<string, [number[], number]> = read.tensors[checkpoint];
    const ours = io.loadTensors(checkpoint);
    expect(Object.keys(sums).sort()).to.deep.equal(Object.keys(ours).sort());
    for (const [name, [shape, sum]] of Object.entries(sums)) {
      expect(shape, name).to.deep.equal(ours[name].shape);
      const numbers = [ours[name].toFlatArray()].flat() as number[];
      expect(sum, name).to.be.closeTo(
        numbers.reduce((total, each) => total + each, 0),
        1e-5,
      );
    }
  });
});
