import { expect } from 'chai';
import { cacheBytes, parametersOf, slowestTurn } from '../../../chapters/llama/exercises.ts';
import { KeyValueCache, LlamaModel, SMOLLM2_135M } from '../../../chapters/llama/index.ts';
import { noGrad, tensor, zeros } from '../../../lib/index.ts';

describe("Llama's exercises", () => {
  const small = { ...SMOLLM2_135M, vocabSize: 60, contextLength: 32, embDim: 36, nLayers: 2, hiddenDim: 48 };

  it('1: counts the parameters without building the model', () => {
    const model = new LlamaModel(small);
    expect(parametersOf(small)).to.equal(model.parameters().reduce((sum, p) => sum + p.size, 0));
    expect(parametersOf(SMOLLM2_135M)).to.equal(134_515_008);
  });

  it('2: counts the bytes of a cache', () => {
    const cache = new KeyValueCache();
    noGrad(() => new LlamaModel(small).forward(tensor([[1, 2, 3]], { dtype: 'int32' }), { past: cache }));
    const none = zeros(1, 3, 0, 4);
    const { keys, values } = cache.layer(0).append(none, none);
    expect(cacheBytes(small, 3)).to.equal(4 * small.nLayers * (keys.size + values.size));
    expect(cacheBytes(SMOLLM2_135M, 8192)).to.equal(377_487_360);
    expect(cacheBytes({ ...SMOLLM2_135M, nKvHeads: 9 }, 8192)).to.equal(3 * 377_487_360);
  });

  it('3: knows the slowest hand', () => {
    expect(slowestTurn(SMOLLM2_135M)).to.be.closeTo(438_000, 1000);
  });
});
