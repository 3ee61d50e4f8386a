import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { GPTModel } from '../../chapters/chapter04/index.ts';
import { loadWeightsIntoGpt } from '../../chapters/chapter05/index.ts';
import { readClassifierSettings } from '../../chapters/chapter06/index.ts';
import { writeHandover } from '../../chapters/commands/adapter/handover.ts';
import { type LabelledText, readParts, writeParts } from '../../chapters/datasets/index.ts';
import { io, manualSeed, nn, noGrad, randn, type Tensor, useBackend } from '../../lib/index.ts';
import { failure } from '../support/failure.ts';
import { killEverywhere } from '../support/kills.ts';

/** Each set of files that commands write, written over an older one by a process that is killed at every change of the disk. */
describe('what is written together is replaced together', () => {
  const folder = mkdtempSync(join(tmpdir(), 'replaced-'));
  before(() => useBackend('js'));
  after(() => rmSync(folder, { recursive: true }));

  const tiny = () => {
    const sizes = {
      vocabSize: 12,
      contextLength: 4,
      embDim: 4,
      nHeads: 2,
      nLayers: 1,
      dropRate: 0,
      qkvBias: true,
    };
    return new GPTModel(sizes);
  };

  it('a data set', async () => {
    const text = (text: string): LabelledText[] => [{ text, label: 1 }];
    const parts = (mark: string) => ({
      train: text(`${mark} a`),
      valid: text(`${mark} b`),
      test: text(`${mark} c`),
    });
    const write = (mark: string) => () => writeParts(folder, parts(mark), mark === 'old');
    await killEverywhere(write('old'), write('new'), async () => {
      const { parts: read, synthetic } = await readParts(folder);
      const isOld = read.train[0].text.startsWith('old');
      expect(read).to.deep.equal(parts(isOld ? 'old' : 'new'));
      expect(synthetic).to.equal(isOld);
    });
    expect(readdirSync(folder).sort()).to.deep.equal(['test.parquet', 'train.parquet', 'valid.parquet']);

    // Put together by hand: told, since a message may be in both parts.
    const test = readFileSync(join(folder, 'test.parquet'));
    await write('old')();
    writeFileSync(join(folder, 'test.parquet'), test);
    expect(await failure(readParts(folder))).to.match(
      /test\.parquet was not written together with \S+train\.parquet/,
    );
  });

  it('an adapter with its classifier', async () => {
    const place = join(folder, 'adapter');
    const withAdapter = (rank: number) => {
      manualSeed(rank);
      const model = tiny();
      model.outHead = new nn.Linear(4, rank);
      nn.replaceLinearWithLoRA(model, { rank, alpha: rank });
      noGrad(() => {
        for (const [name, p] of model.namedParameters())
          if (name.endsWith('.B')) p.copyInPlace(randn(...p.shape));
      });
      return model;
    };
    const write = (rank: number) => () => {
      const labels = Array.from({ length: rank }, (_, i) => `class ${i}`);
      const settings = { labels, maxLength: rank, padTokenId: 0, synthetic: false };
      const beside = { 'classifier.json': JSON.stringify(settings) };
      return io.saveAdapter(place, withAdapter(rank), { baseModel: `base ${rank}`, beside });
    };
    await killEverywhere(write(2), write(3), () => {
      const model = tiny();
      const { rank, base, alpha } = io.loadAdapter(place, model);
      expect([base, alpha]).to.deep.equal([`base ${rank}`, rank]);
      expect(model.outHead.outFeatures).to.equal(rank);
      expect(readClassifierSettings(place)!.labels).to.have.length(rank);
      const B = (of: GPTModel): Tensor => of.stateDict()['trf_blocks.0.att.W_query.lora.B'];
      expect(B(model).toFlatArray()).to.deep.equal(B(withAdapter(rank)).toFlatArray());
    });
  });

  it('an adapter without a classifier leaves none of an older one', async () => {
    const place = join(folder, 'language');
    const model = () => {
      const made = tiny();
      nn.replaceLinearWithLoRA(made, { rank: 1, alpha: 1 });
      return made;
    };
    const beside = { 'classifier.json': '{}', 'notes.txt': 'mine' };
    const old = () => io.saveAdapter(place, model(), { baseModel: 'old', beside });
    await killEverywhere(
      old,
      () => io.saveAdapter(place, model(), { baseModel: 'new' }),
      () => {
        const { base } = io.readAdapterConfig(place);
        expect(readdirSync(place).includes('classifier.json')).to.equal(base === 'old');
      },
    );
    expect(readFileSync(join(place, 'notes.txt'), 'utf8')).to.equal('mine');

    // A whole classifier's own settings are not an adapter's.
    const whole = join(folder, 'whole');
    await io.saveTensors(join(whole, 'model.safetensors'), tiny().stateDict(), { beside });
    await io.saveAdapter(whole, model(), { baseModel: 'new' });
    expect(readdirSync(whole)).to.include('classifier.json');
  });

  it('a handover: the script, its plan, the adapter, the head, the texts, the tokeniser and the base', async () => {
    const out = join(folder, 'handover');
    const write = (mark: string) => () => {
      manualSeed(mark.length);
      const [model, base] = [tiny(), tiny()];
      model.outHead = new nn.Linear(4, 2);
      nn.replaceLinearWithLoRA(model, { rank: 1, alpha: 1 });
      const rows: LabelledText[] = [{ text: mark, label: 1 }];
      const settings = { labels: [mark, 'other'], maxLength: 4, padTokenId: 0, synthetic: false };
      return writeHandover(out, model, {
        ...{ plan: { base: mark, mark }, settings, base: mark === 'new' ? undefined : base },
        data: { parts: { train: rows, valid: rows, test: rows }, synthetic: false },
        tokeniser: { vocabBpe: mark, encoderJson: mark },
      });
    };
    const seen = async () => {
      const { mark } = io.readJson(join(out, 'handover.json'), 'the plan');
      expect(io.readAdapterConfig(join(out, 'adapter')).base).to.equal(mark);
      expect(readClassifierSettings(join(out, 'adapter'))!.labels[0]).to.equal(mark);
      expect((await readParts(join(out, 'data'))).parts.test[0].text).to.equal(mark);
      expect(readdirSync(out).includes('base')).to.equal(mark === 'old');
      expect(readFileSync(join(out, 'tokeniser', 'vocab.json'), 'utf8')).to.equal(mark);
      expect(readdirSync(out)).to.include.members(['train.py', 'head.safetensors']);
      return mark;
    };
    let mark: unknown;
    const marks = new Set<unknown>();
    const changes = await killEverywhere(
      async () => mark === 'old' || write('old')(),
      write('new'),
      async () => {
        if (readdirSync(out).includes('handover.json')) await seen(); // what the script finds
        mark = await io.readTogether(join(out, 'handover.json'), seen); // and the next command
        marks.add(mark);
      },
    );
    expect(changes).to.be.above(40);
    expect([...marks]).to.deep.equal(['old', 'new']);
    const left = readdirSync(out, { recursive: true, encoding: 'utf8' });
    expect(left.filter((name) => /\.(part|lock)$/.test(name))).to.deep.equal([]);
  });

  it("a model's weights with its config.json; the index of an older model does not outlive them", async () => {
    const place = join(folder, 'model');
    const path = join(place, 'model.safetensors');
    const index = `${path}.index.json`;
    const weightsOf = (seed: number) => {
      manualSeed(seed);
      return tiny().stateDict();
    };
    const write = (seed: number) => () =>
      io.saveTensors(path, weightsOf(seed), { beside: { 'config.json': JSON.stringify({ seed }) } });
    const prepare = async () => {
      await write(1)();
      writeFileSync(index, JSON.stringify({ weight_map: { 'wte.weight': 'of-another.safetensors' } }));
    };
    await killEverywhere(prepare, write(2), () => {
      const model = tiny();
      io.withTensors(place, 'the weights', (weights) => loadWeightsIntoGpt(model, weights));
      const { seed } = io.readJson(join(place, 'config.json'), 'the configuration');
      expect(model.tokEmb.weight.toFlatArray()).to.deep.equal(
        weightsOf(seed as number)['tok_emb.weight'].toFlatArray(),
      );
      const isOld = readdirSync(place).includes('model.safetensors.index.json');
      expect(seed).to.equal(isOld ? 1 : 2);
    });
  });
});
