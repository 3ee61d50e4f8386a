import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { GPTModel } from '../../../../chapters/chapter04/index.ts';
import { loadWeightsIntoGpt, obtainModel, toOpenAI } from '../../../../chapters/chapter05/index.ts';
import { saveClassifierSettings } from '../../../../chapters/chapter06/classifier-file.ts';
import { readClassifierSettings } from '../../../../chapters/chapter06/index.ts';
import { type Answer, CLASSIFY, classifierOf } from '../../../../chapters/commands/adapter/classify.ts';
import { mergeIntoLinears } from '../../../../chapters/commands/adapter/merge.ts';
import { io, manualSeed, nn, noGrad, randint, randn } from '../../../../lib/index.ts';
import { openSafetensors } from '../../../../lib/io/safetensors-file.ts';
import { failure } from '../../../support/failure.ts';
import { tinyClassifier } from '../../chapter06/tiny.ts';
import { adapterCommand } from './handedOver.ts';

const LABELS = ['bill', 'crime & law', 'Überweisung'];
const TEXTS = ['Where is my parcel?', 'I was charged twice', 'ich möchte Geld überweisen', 'x'.repeat(300)];

/** B as if something had been learnt. */
function drawB(model: nn.Module) {
  noGrad(() => {
    for (const [name, p] of model.namedParameters())
      if (name.endsWith('.B')) p.copyInPlace(randn(...p.shape).mul(0.1));
  });
}

describe('npm run adapter', function () {
  this.timeout(120_000);
  const folder = mkdtempSync(join(tmpdir(), 'adapter-'));
  const adapter = join(folder, 'adapter');
  let expected: Answer[];
  before(async () => {
    manualSeed(3);
    const model = (await obtainModel({ model: 'mini' })).eval();
    model.outHead = new nn.Linear(model.config.embDim, 3);
    model.requiresGrad_(false);
    nn.replaceLinearWithLoRA(model, { rank: 2, alpha: 2 });
    drawB(model);
    await io.saveAdapter(adapter, model, { baseModel: 'mini' });
    const settings = { labels: LABELS, maxLength: 20, padTokenId: 50256, synthetic: false };
    await saveClassifierSettings(adapter, settings);
    const config = io.readAdapterConfig(adapter);
    expected = classifierOf({ model, name: 'mini', folder: adapter, config, settings })(TEXTS);
  });
  after(() => rmSync(folder, { recursive: true }));

  it('classify answers in a new process as the trained model does', async () => {
    const path = join(folder, 'texts.txt');
    writeFileSync(path, `${TEXTS.join('\r\n')}\n\n`);
    const run = await adapterCommand(['classify', '--adapter', adapter, '--json', path]);
    expect(run.stderr).to.equal('');
    const answers: Answer[] = run.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(answers.map(({ text, label }) => [text, label])).to.deep.equal(
      expected.map(({ text, label }) => [text, label]),
    );
    for (const [i, { probabilities }] of answers.entries())
      for (const label of LABELS)
        expect(probabilities[label]).to.be.closeTo(expected[i].probabilities[label], 1e-5);
  });

  it('classify reads lines from the standard input, and prints a line for each', async () => {
    const run = await adapterCommand(['classify', '--adapter', adapter], `${TEXTS.slice(0, 2).join('\n')}\n`);
    const lines = run.stdout.trim().split('\n');
    expect(lines).to.have.length(2);
    expect(lines[1]).to.match(/^(bill|crime & law|Überweisung) +\d+\.\d% {2}I was charged twice$/);
  });

  it('merge writes a file in the layout of the hub, with the sizes beside it', async () => {
    const out = join(folder, 'merged', 'model.safetensors');
    const run = await adapterCommand(['merge', '--adapter', adapter, '--out', out]);
    expect(run.status, run.stderr).to.equal(0);
    const file = openSafetensors(out);
    expect(file.get('score.weight')?.shape).to.deep.equal([3, 128]);
    expect(file.get('transformer.h.3.attn.c_attn.weight')?.shape).to.deep.equal([128, 384]);
    file.close();
    const config = JSON.parse(readFileSync(join(folder, 'merged', 'config.json'), 'utf8'));
    expect(config.id2label).to.deep.equal({ 0: 'bill', 1: 'crime & law', 2: 'Überweisung' });
    expect(config).not.to.have.property('pad_token_id');
  });

  it('inspect prints a row for each layer', async () => {
    const { stdout } = await adapterCommand([
      'inspect',
      '--adapter',
      adapter,
      '--out',
      join(folder, 'pictures'),
    ]);
    expect(stdout).to.match(/trf_blocks\.3\.ff\.layers\.2 +2 +\d/);
    expect(stdout).to.include('classes: bill, crime & law, Überweisung; messages of 20 tokens');
  });

  it('classify and inspect say of an adapter that it learnt from the stand-in', async () => {
    const settings = readClassifierSettings(adapter)!;
    await saveClassifierSettings(adapter, { ...settings, synthetic: true });
    const asked = await adapterCommand(['classify', '--adapter', adapter, 'hello']);
    const inspected = await adapterCommand([
      'inspect',
      '--adapter',
      adapter,
      '--out',
      join(folder, 'pictures'),
    ]);
    await saveClassifierSettings(adapter, settings);
    expect(asked.stderr).to.match(/^This adapter was trained on the synthetic stand-in: .*\n$/);
    expect(asked.stdout.trim().split('\n')).to.have.length(1);
    expect(inspected.stdout).to.include('This adapter was trained on the synthetic stand-in');
  });

  it('mistakes get one line', async () => {
    const expectLine = async (args: string[], pattern: RegExp) => {
      const { status, stderr } = await adapterCommand(args);
      expect(status).to.be.oneOf([1, 2]);
      expect(stderr.trim().split('\n'), stderr).to.have.length(1);
      expect(stderr).to.match(pattern);
    };
    const none = ['merge', '--adapter', folder, '--out', join(folder, 'nowhere', 'x.safetensors')];
    await Promise.all([
      expectLine(['clasify'], /no command 'clasify'; did you mean classify/),
      expectLine(['classify', 'x'], /name its folder with --adapter DIR/),
      expectLine(['classify', '--adapter', adapter, '--labels', 'a,b', 'x'], /has 3 classes, not 2/),
      expectLine(none, /has no adapter_model/),
    ]);
    const classify = (words: string[], labels?: string) =>
      failure(CLASSIFY.run({ adapter: join(folder, 'none'), labels }, words)); // before anything is loaded
    for (const labels of ['x,x', ',', 'x,', 'x, x'])
      expect(await classify(['hello'], labels)).to.match(
        /^--labels must be different names with commas between/,
      );
    for (const words of [[''], [' ', '\t']])
      expect(await classify(words)).to.match(/^there is no text to classify/);
    writeFileSync(join(folder, 'latin.txt'), Buffer.from('schön', 'latin1'));
    expect(await classify([join(folder, 'latin.txt')])).to.match(/latin\.txt is not text in UTF-8/);
  });
});

describe('what a classifier is asked with', () => {
  it('fits its model', () => {
    const settings = { labels: ['a', 'b'], maxLength: 5, padTokenId: 50_257, synthetic: false };
    const asked = () => classifierOf({ model: tinyClassifier(1), folder: 'x', settings });
    expect(asked).to.throw('x: its messages are filled up with token 50257, but the model has 50257 tokens');
  });

  const folder = mkdtempSync(join(tmpdir(), 'classifier-'));
  after(() => rmSync(folder, { recursive: true }));
  const read = (text: string) => () => {
    writeFileSync(join(folder, 'classifier.json'), text);
    return readClassifierSettings(folder);
  };

  it('is nothing where the adapter is from elsewhere, and refused where it does not hold together', () => {
    expect(readClassifierSettings(folder)).to.equal(undefined);
    const whole = { labels: ['a', 'b'], maxLength: 5, padTokenId: 0, synthetic: true };
    expect(read(JSON.stringify(whole))()).to.deep.equal(whole);
    const { synthetic: _, ...older } = whole;
    expect(read(JSON.stringify(older))()).to.deep.equal({ ...whole, synthetic: false });
    const changed = (change: object) => read(JSON.stringify({ ...whole, ...change }));
    expect(read('{')).to.throw('is not JSON');
    expect(changed({ labels: ['a'] })).to.throw('two classes or more');
    expect(changed({ labels: ['a', 'a'] })).to.throw('two classes have one name');
    expect(changed({ maxLength: 0 })).to.throw('maxLength should be');
    expect(changed({ padTokenId: 1.5 })).to.throw('padTokenId should be');
    mkdirSync(join(folder, 'odd', 'classifier.json'), { recursive: true });
    expect(() => readClassifierSettings(join(folder, 'odd'))).to.throw(/classifier\.json is a folder/);
    expect(changed({ synthetic: 'no' })).to.throw('synthetic should be true or false');
  });
});

describe('the layout of the hub', () => {
  const config = {
    ...{ vocabSize: 30, contextLength: 8, embDim: 8, nHeads: 2, nLayers: 2, dropRate: 0, qkvBias: true },
  };

  it('there and back is the same model', () => {
    manualSeed(1);
    const model = new GPTModel(config);
    const back = new GPTModel(config);
    // Untied, it has a head of its own there.
    const { 'lm_head.weight': head, ...others } = toOpenAI(model);
    expect(head.shape).to.deep.equal([30, 8]);
    noGrad(() => model.outHead.weight.copyInPlace(model.tokEmb.weight));
    expect(toOpenAI(model)).not.to.have.property('lm_head.weight');
    expect(Object.keys(others)).to.include('transformer.h.1.mlp.c_fc.weight');
    loadWeightsIntoGpt(back, toOpenAI(model));
    for (const [name, tensor] of Object.entries(model.stateDict()))
      expect(back.stateDict()[name].toArray(), name).to.deep.equal(tensor.toArray());
  });

  it('merged Linears answer as W and AB apart', () => {
    const model = tinyClassifier(2).eval();
    nn.replaceLinearWithLoRA(model, { rank: 2, alpha: 3 });
    drawB(model);
    const ids = randint(0, 50257, [2, 7]);
    const apart = noGrad(() => model.forward(ids));
    mergeIntoLinears(model);
    expect(Array.from(model.namedModules()).some(([, m]) => m instanceof nn.LinearWithLoRA)).to.equal(false);
    const merged = noGrad(() => model.forward(ids));
    expect(merged.sub(apart).abs().amax().item()).to.be.below(1e-5);
  });
});
