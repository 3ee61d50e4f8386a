import { expect } from 'chai';
import { LlamaClassifier, LlamaModel, makeClassifier } from '../../../chapters/llama/index.ts';
import { BLOCK_FORMATS } from '../../../lib/backend/quantised/formats.ts';
import { blocksOf } from '../../../lib/backend/quantised/storedBlocks.ts';
import { F, manualSeed, nn, noGrad, randint, type Tensor, tensor } from '../../../lib/index.ts';
import type { GgufTensor } from '../../../lib/io/gguf.ts';
import { quantisedTensor } from '../../../lib/io/gguf-quantised.ts';
import { expectClose } from '../../support/close.ts';

const CONFIG = {
  ...{ vocabSize: 50, contextLength: 32, embDim: 64, nHeads: 4, nKvHeads: 2, nLayers: 2, hiddenDim: 96 },
  ...{ ropeBase: 10_000, normEps: 1e-5 },
};
const Q8_0 = BLOCK_FORMATS.get(8)!;

/** A matrix of small numbers in Q8_0. */
function stored([rows, columns]: readonly number[]): GgufTensor {
  const bytes = new Uint8Array(((rows * columns) / 32) * Q8_0.bytes);
  const values = randint(-100, 100, [bytes.length]).toFlatArray() as number[];
  values.forEach((value, i) => {
    // Each block begins with its scale, 2⁻¹⁰ as a float16.
    bytes[i] = i % Q8_0.bytes === 0 ? 0 : i % Q8_0.bytes === 1 ? 0x14 : value;
  });
  const readInto = (target: Uint8Array) => target.set(bytes);
  return {
    format: Q8_0,
    shape: [rows, columns],
    byteLength: bytes.length,
    readInto,
    data: new Float32Array(),
  };
}

/** The same small Llama, its matrices in blocks or as float32. */
function smallLlama(quantised: boolean): LlamaModel {
  manualSeed(1);
  const model = new LlamaModel(CONFIG).eval();
  for (const [, module] of [...model.namedModules()]) {
    if (!(module instanceof nn.Linear) || module === model.outHead) continue;
    const weight = quantisedTensor(stored(module.weight.shape));
    module.weight = new nn.Parameter(
      quantised ? weight : tensor(weight.storage.data as Float32Array).reshape([...weight.shape]),
    );
  }
  makeClassifier(model, { rank: 4, alpha: 8, seed: 2 });
  noGrad(() => {
    // B is zero at first, and A without a gradient.
    for (const [name, p] of model.namedParameters())
      if (name.endsWith('.B')) p.copyInPlace(tensor(0.05).expand([...p.shape]));
  });
  return model;
}

describe('LoRA beside blocks of few bits', () => {
  it('has the loss and the gradients that it has beside float32, and decodes no weight for good', () => {
    const [blocks, plain] = [smallLlama(true), smallLlama(false)];
    const ids = tensor(
      [
        [5, 7, 49, 0, 3, 3],
        [1, 2, 3, 4, 5, 6],
      ],
      { dtype: 'int32' },
    );
    const losses = [blocks, plain].map((model) => {
      const loss = F.crossEntropy(model.forward(ids).select(1, -1), tensor([0, 1], { dtype: 'int32' }));
      loss.backward();
      return loss.item();
    });
    expect(losses[0]).to.be.closeTo(losses[1], 1e-5);
    const wanted = new Map(plain.namedParameters());
    let trained = 0;
    for (const [name, parameter] of blocks.namedParameters()) {
      const other = wanted.get(name)!;
      expect(parameter.requiresGrad, name).to.equal(/\.[AB]$|^out_head/.test(name));
      if (!parameter.requiresGrad) continue;
      trained++;
      const size = other.grad!.abs().amax().item();
      expect(parameter.grad!.sub(other.grad!).abs().amax().item(), name).to.be.at.most(1e-4 * size);
    }
    expect(trained).to.equal(2 * 7 * CONFIG.nLayers + 1);
    const inBlocks = blocks.parameters().filter(({ storage }) => blocksOf(storage) && !storage.isOnHost);
    expect(inBlocks).to.have.length(7 * CONFIG.nLayers);
  });
});

const flat = (x: Tensor) => x.toFlatArray() as number[];

describe('a Llama that classifies', () => {
  const PAD = 0;
  const texts = [[5, 7, 49, 3, 3, 9], [4], [8, 0, 2], [1, 2, 3, 4]];
  const padded = texts.map((text) => [...text, ...Array<number>(8 - text.length).fill(PAD)]);
  const ids = tensor(padded, { dtype: 'int32' });
  const labels = tensor([0, 1, 1, 0], { dtype: 'int32' });

  it('computes no padding, and has the logits and the gradients that it has with all of it', () => {
    const [without, whole] = [smallLlama(true), smallLlama(true)];
    const everything = whole.hidden(ids).flatten(0, 1); // [b · 8, d]
    const last = texts.map((text, row) => 8 * row + text.length - 1);
    const expected = whole.outHead.forward(everything.indexSelect(0, last)); // [b, classes]
    F.crossEntropy(expected, labels).backward();

    const logits = new LlamaClassifier(without, PAD).forward(ids); // [b, 1, classes]
    F.crossEntropy(logits.select(1, -1), labels).backward();
    expectClose(flat(logits), flat(expected), 1e-5, 'logits');
    const wanted = new Map(whole.namedParameters());
    for (const [name, { grad }] of without.namedParameters()) {
      const other = wanted.get(name)!.grad;
      expect(grad === null, name).to.equal(other === null);
      if (grad && other) expectClose(flat(grad), flat(other), 1e-5, name);
    }
  });

  it('lets no text of a batch see another one, and takes one of nothing but padding', () => {
    const model = new LlamaClassifier(smallLlama(true), PAD);
    const together = noGrad(() => model.forward(ids));
    for (const [row, text] of padded.entries()) {
      const alone = noGrad(() => model.forward(tensor([text], { dtype: 'int32' })));
      expectClose(flat(together.select(0, row)), flat(alone), 1e-5, `text ${row}`);
    }
    const empty = tensor([[PAD, PAD]], { dtype: 'int32' });
    expect(noGrad(() => model.forward(empty)).shape).to.eql([1, 1, 2]);
  });

  it('refuses a text that is longer than its context, not a batch that is', () => {
    const model = new LlamaClassifier(smallLlama(true), PAD);
    const row = Array.from({ length: 33 }, () => 7);
    const text = (length: number) => tensor([row.slice(0, length), row.slice(0, length)], { dtype: 'int32' });
    expect(noGrad(() => model.forward(text(32))).shape).to.eql([2, 1, 2]);
    expect(() => model.forward(text(33))).to.throw(
      'the model sees at most 32 tokens, not 33: shorten the text',
    );
  });
});
