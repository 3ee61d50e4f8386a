import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type GPTConfig, GPTModel, generateTextSimple } from '../../../chapters/chapter04/index.ts';
import { makeTextLoaders } from '../../../chapters/chapter05/01-text-and-loss.ts';
import {
  calcLossBatch,
  calcLossLoader,
  generate,
  keepTopK,
  loadWeightsIntoGpt,
  softmaxWithTemperature,
  textToTokenIds,
  tokenIdsToText,
  tokeniser,
  trainModelSimple,
  type Weights,
} from '../../../chapters/chapter05/index.ts';
import {
  cat,
  manualSeed,
  nn,
  noGrad,
  optim,
  randn,
  type Tensor,
  tensor,
  UserError,
  zeros,
} from '../../../lib/index.ts';
import { loadTensors, saveTensors } from '../../../lib/io/checkpoint.ts';
import { findCheckpoint, writeCheckpoint } from '../../../lib/io/training-checkpoint.ts';

const TINY: GPTConfig = {
  vocabSize: 50257,
  contextLength: 16,
  embDim: 8,
  nHeads: 2,
  nLayers: 2,
  dropRate: 0.1,
  qkvBias: true,
};
/** Fewer tokens where no tokeniser is needed: quicker. */
const SMALL_VOCABULARY = { ...TINY, vocabSize: 40 };

function newModel(config = TINY, seed = 1): GPTModel {
  manualSeed(seed);
  return new GPTModel(config);
}

const ids = (rows: number[][]) => tensor(rows, { dtype: 'int32' });
const snapshot = (model: nn.Module) =>
  Object.entries(model.stateDict()).map(([name, t]) => [name, t.toFlatArray()]);

describe('chapter 5: losses', () => {
  it('text to ids and back', () => {
    const text = 'Every effort moves you.<|endoftext|>Ünïcode 🙂';
    expect(textToTokenIds(text).shape[0]).to.equal(1);
    expect(tokenIdsToText(textToTokenIds(text))).to.equal(text);
  });

  it('the loss is the mean of −log p of the right tokens', () => {
    const model = newModel(SMALL_VOCABULARY).eval();
    const [inputs, targets] = [
      ids([
        [1, 2, 3],
        [4, 5, 6],
      ]),
      ids([
        [2, 3, 7],
        [5, 6, 8],
      ]),
    ];
    const probas = model.forward(inputs).softmax(-1).toArray() as number[][][];
    const right = (targets.toArray() as number[][]).flatMap((row, b) => row.map((id, t) => probas[b][t][id]));
    const expected = -right.reduce((sum, p) => sum + Math.log(p), 0) / right.length;
    expect(calcLossBatch(inputs, targets, model).item()).to.be.closeTo(expected, 1e-5);
  });

  it('the mean over a loader takes as many batches as are asked for, or there are', () => {
    const batches = [1, 2, 6].map((loss) => [tensor(loss), tensor(loss)] as [Tensor, Tensor]);
    const mean = (count?: number) => calcLossLoader(batches, new nn.Sequential(), count, (loss) => loss);
    expect([mean(), mean(2), mean(9)]).to.deep.equal([3, 1.5, 3]);
    expect(calcLossLoader([], new nn.Sequential())).to.be.NaN;
  });
});

describe('chapter 5: decoding', () => {
  const model = newModel(SMALL_VOCABULARY).eval();
  const start = ids([[1, 2, 3]]);
  const options = { maxNewTokens: 6, contextSize: 16 };

  it('without a temperature, or with top-1, it is greedy', () => {
    const greedy = generateTextSimple(model, start, 6, 16).toArray();
    expect(generate(model, start, options).toArray()).to.deep.equal(greedy);
    expect(generate(model, start, { ...options, topK: 1, temperature: 3 }).toArray()).to.deep.equal(greedy);
  });

  it('draws the same from the same seed, and only among the k likeliest', () => {
    const drawn = (seed: number) => {
      manualSeed(seed);
      return generate(model, start, { ...options, topK: 3, temperature: 2 });
    };
    expect(drawn(7).toArray()).to.deep.equal(drawn(7).toArray());
    const text = drawn(8);
    for (let t = 3; t < 9; t++) {
      const best = model
        .forward(text.narrow(1, 0, t))
        .select(1, -1)
        .topk(3)
        .indices.toFlatArray();
      expect(best).to.include(text.select(0, 0).select(0, t).item());
    }
  });

  it('stops at the end-of-text token, and does not write it', () => {
    const greedy = generateTextSimple(model, start, 6, 16).toFlatArray() as number[];
    const eosId = greedy[5];
    const expected = greedy.slice(0, greedy.indexOf(eosId, 3));
    expect(generate(model, start, { ...options, eosId }).toFlatArray()).to.deep.equal(expected);
  });

  it('a low temperature sharpens, a high one flattens', () => {
    const logits = tensor([1, 2, 3]);
    const top = [0.1, 1, 5, 1e6].map((t) => softmaxWithTemperature(logits, t).max().item());
    expect(top[0]).to.be.above(0.999);
    expect([...top].sort((a, b) => b - a)).to.deep.equal(top);
    expect(top[3]).to.be.closeTo(1 / 3, 1e-5);
  });

  it('top-k keeps the k largest of each row', () => {
    const kept = keepTopK(
      tensor([
        [1, 4, 2, 3],
        [9, 8, 7, 6],
      ]),
      2,
    ).toArray();
    const out = Number.NEGATIVE_INFINITY;
    expect(kept).to.deep.equal([
      [out, 4, out, 3],
      [9, 8, out, out],
    ]);
  });
});

describe('chapter 5: training', () => {
  const text = 'the cat sat on the mat and the dog sat on the log; '.repeat(20);

  it('brings the loss down, and keeps what it has seen', () => {
    const model = newModel();
    const { train, val } = makeTextLoaders(text, 16);
    const before = calcLossLoader(train, model.eval());
    const lines: string[] = [];
    const optimizer = new optim.AdamW(model.parameters(), { lr: 1e-2, weightDecay: 0.1 });
    manualSeed(2);
    const history = trainModelSimple(model, train, val, optimizer, {
      numEpochs: 2,
      evalFreq: 4,
      evalIter: 1,
      startContext: 'the cat',
      tokeniser,
      print: (line) => lines.push(line),
    });
    expect(calcLossLoader(train, model.eval())).to.be.below(before - 1);
    expect(lines[0]).to.match(/^Ep 1 \(Step 000000\): Train loss \d+\.\d{3}, Val loss \d+\.\d{3}$/);
    const looks = Math.ceil((2 * train.length) / 4);
    expect(history.trainLosses).to.have.length(looks);
    expect(history.tokensSeen[1]).to.equal(5 * 2 * 16);
    expect(lines).to.have.length(looks + 2);
    expect(lines.at(-1)).to.match(/^the cat/);
  });
});

describe('chapter 5: saving', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'chapter05-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  it('training goes on from a checkpoint as if it had not stopped, bit for bit', async () => {
    const newOptimizer = (model: nn.Module) =>
      new optim.AdamW(model.parameters(), { lr: 1e-2, weightDecay: 0.1 });
    const step = (model: GPTModel, optimizer: optim.AdamW, seed: number) => {
      manualSeed(seed); // for dropout
      optimizer.zeroGrad();
      calcLossBatch(ids([[1, 2, 3, seed]]), ids([[2, 3, 4, 5]]), model).backward();
      optimizer.step();
    };
    const model = newModel(SMALL_VOCABULARY);
    const optimizer = newOptimizer(model);
    for (const seed of [1, 2, 3]) step(model, optimizer, seed);
    await writeCheckpoint(folder, { model, optimizer }, {});
    for (const seed of [4, 5]) step(model, optimizer, seed);

    const continued = newModel(SMALL_VOCABULARY, 99);
    const itsOptimizer = newOptimizer(continued);
    findCheckpoint(folder, () => {})!.restore({ model: continued, optimizer: itsOptimizer });
    for (const seed of [4, 5]) step(continued, itsOptimizer, seed);
    expect(snapshot(continued)).to.deep.equal(snapshot(model));
  });

  it('weights in the notebooks’ layout load, with the masks that Python saves, and tie a missing head', async () => {
    const path = join(folder, 'notebook.safetensors');
    const source = newModel(SMALL_VOCABULARY, 3);
    const mask = zeros(16, 16);
    const { 'out_head.weight': head, ...rest } = source.stateDict();
    const masks = { 'trf_blocks.0.att.mask': mask, 'trf_blocks.1.att.mask': mask };
    await saveTensors(path, { ...rest, ...masks, 'out_head.weight': head });
    const target = newModel(SMALL_VOCABULARY, 4);
    loadWeightsIntoGpt(target, loadTensors(path));
    expect(snapshot(target)).to.deep.equal(snapshot(source));

    loadWeightsIntoGpt(target, rest);
    const { stateDict } = { stateDict: target.stateDict() };
    expect(stateDict['out_head.weight'].toArray()).to.deep.equal(rest['tok_emb.weight'].toArray());
  });
});

/** Weights as the Hugging Face hub has them: other names, matrices [in, out], query, key and value in one. */
function hubLayout(model: GPTModel, prefix = ''): Weights {
  const own = model.stateDict();
  const out: Weights = {
    'wte.weight': own['tok_emb.weight'],
    'wpe.weight': own['pos_emb.weight'],
    'ln_f.weight': own['final_norm.scale'],
    'ln_f.bias': own['final_norm.shift'],
  };
  for (let i = 0; i < model.config.nLayers; i++) {
    const ours = (name: string) => own[`trf_blocks.${i}.${name}`];
    const qkv = ['W_query', 'W_key', 'W_value'];
    const block = {
      'ln_1.weight': ours('norm1.scale'),
      'ln_1.bias': ours('norm1.shift'),
      'ln_2.weight': ours('norm2.scale'),
      'ln_2.bias': ours('norm2.shift'),
      'attn.bias': zeros(1, 1, 16, 16), // the mask
      'attn.c_attn.weight': cat(
        qkv.map((name) => ours(`att.${name}.weight`).t()),
        1,
      ), // [d, 3d]
      'attn.c_attn.bias': cat(
        qkv.map((name) => ours(`att.${name}.bias`)),
        0,
      ), // [3d]
      'attn.c_proj.weight': ours('att.out_proj.weight').t(),
      'attn.c_proj.bias': ours('att.out_proj.bias'),
      'mlp.c_fc.weight': ours('ff.layers.0.weight').t(),
      'mlp.c_fc.bias': ours('ff.layers.0.bias'),
      'mlp.c_proj.weight': ours('ff.layers.2.weight').t(),
      'mlp.c_proj.bias': ours('ff.layers.2.bias'),
    };
    for (const [name, weight] of Object.entries(block)) out[`h.${i}.${name}`] = weight;
  }
  return Object.fromEntries(Object.entries(out).map(([name, weight]) => [prefix + name, weight]));
}

describe("chapter 5: OpenAI's weights", () => {
  const source = newModel(SMALL_VOCABULARY, 5);
  noGrad(() => {
    source.outHead.weight.copyInPlace(source.tokEmb.weight); // GPT-2's head is its embedding
    // What a new model has as ones and zeros would hide a mistake.
    for (const p of source.parameters()) if (p.ndim === 1) p.copyInPlace(randn(p.size));
  });

  for (const prefix of ['', 'transformer.']) {
    it(`load from the hub's layout${prefix && `, under ${prefix}`}`, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'chapter05-'));
      const path = join(folder, 'model.safetensors');
      await saveTensors(path, hubLayout(source, prefix));
      const target = newModel(SMALL_VOCABULARY, 6);
      loadWeightsIntoGpt(target, loadTensors(path));
      rmSync(folder, { recursive: true });
      expect(snapshot(target)).to.deep.equal(snapshot(source));
      const logits = (model: GPTModel) =>
        model
          .eval()
          .forward(ids([[1, 2, 3]]))
          .toFlatArray();
      expect(logits(target)).to.deep.equal(logits(source));
    });
  }

  const failures: { title: string; weights: () => Weights; says: RegExp[] }[] = [
    {
      title: 'keys of the hub’s layout that are missing and too many',
      weights: () => {
        const { 'h.0.ln_1.bias': _one, 'h.1.mlp.c_fc.weight': _other, ...rest } = hubLayout(source);
        return { ...rest, 'h.7.ln_1.bias': zeros(8) };
      },
      says: [/missing/, /h\.0\.ln_1\.bias/, /h\.1\.mlp\.c_fc\.weight/, /unexpected/, /h\.7\.ln_1\.bias/],
    },
    {
      title: 'missing and unexpected keys and wrong shapes of the notebooks’ layout',
      weights: () => {
        const { 'final_norm.scale': _one, ...rest } = source.stateDict();
        return { ...rest, extra: zeros(1), 'pos_emb.weight': zeros(3, 8), 'final_norm.shift': zeros(9) };
      },
      says: [/final_norm\.scale/, /extra/, /pos_emb\.weight/, /final_norm\.shift/],
    },
  ];
  for (const { title, weights, says } of failures) {
    it(`${title}: one error names all, and the model stays as it was`, () => {
      const target = newModel(SMALL_VOCABULARY, 7);
      const before = snapshot(target);
      let error: unknown;
      try {
        loadWeightsIntoGpt(target, weights());
      } catch (caught) {
        error = caught;
      }
      expect(error).to.be.instanceOf(UserError);
      for (const part of says) expect((error as UserError).message).to.match(part);
      expect(snapshot(target)).to.deep.equal(before);
    });
  }
});
