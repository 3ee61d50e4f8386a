import { expect } from 'chai';
import { LlamaClassifier, LlamaModel, makeClassifier } from '../../../chapters/llama/index.ts';
import { BLOCK_FORMATS, type BlockFormat } from '../../../lib/backend/quantised/formats.ts';
import { BLOCK, blocksOf, PRODUCT_FORMATS } from '../../../lib/backend/quantised/storedBlocks.ts';
import { F, manualSeed, nn, noGrad, randint, type Tensor, tensor } from '../../../lib/index.ts';
import type { GgufTensor } from '../../../lib/io/gguf.ts';
import { quantisedTensor } from '../../../lib/io/gguf-quantised.ts';
import { expectClose } from '../../support/close.ts';

const CONFIG = {
  ...{ vocabSize: 50, contextLength: 32, embDim: 64, nHeads: 4, nKvHeads: 2, nLayers: 2, hiddenDim: 96 },
  ...{ ropeBase: 10_000, normEps: 1e-5 },
};
const Q8_0 = BLOCK_FORMATS.get(8)!;

/** A matrix of small numbers in blocks. */
function stored(format: BlockFormat, [rows, columns]: readonly number[]): GgufTensor {
  const values = randint(0, 256, [((rows * columns) / format.numbers) * format.bytes]).toFlatArray();
  const bytes = Uint8Array.from(values as number[]);
  const words = new DataView(bytes.buffer);
  // Scales of 2⁻¹⁰ as float16, or smaller where a block has scales of its own as well.
  const scale = format.numbers === BLOCK ? 0x1400 : 0x0400;
  for (let at = 0; at < bytes.length; at += format.bytes)
    for (const place of format.scales!) words.setUint16(at + place, scale, true);
  const readInto = (target: Uint8Array) => target.set(bytes);
  return { format, shape: [rows, columns], byteLength: bytes.length, readInto, data: new Float32Array() };
}

/** The same small Llama, its matrices in blocks or as float32. */
function smallLlama(quantised: boolean, format = Q8_0, config = CONFIG): LlamaModel {
  manualSeed(1);
  const model = new LlamaModel(config).eval();
  for (const [, module] of [...model.namedModules()]) {
    if (!(module instanceof nn.Linear) || module === model.outHead) continue;
    const weight = quantisedTensor(stored(format, module.weight.shape));
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
  for (const format of PRODUCT_FORMATS) {
    it(`of ${format.name} has the loss and the gradients that it has beside float32, and decodes no weight for good`, () => {
      const wide = { ...CONFIG, embDim: 256, hiddenDim: 256, nLayers: 1 };
      const config = format.numbers === BLOCK ? CONFIG : wide;
      const [blocks, plain] = [true, false].map((quantised) => smallLlama(quantised, format, config));
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
      expect(trained).to.equal(2 * 7 * config.nLayers + 1);
      const inBlocks = blocks.parameters().filter(({ storage }) => blocksOf(storage) && !storage.isOnHost);
      expect(inBlocks).to.have.length(7 * config.nLayers);
    });
  }
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
