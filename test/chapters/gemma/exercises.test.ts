import { expect } from 'chai';
import { parametersOf, reach, slowestTurn } from '../../../chapters/gemma/exercises.ts';
import { GEMMA3_270M, GemmaModel } from '../../../chapters/gemma/index.ts';
import { noGrad, tensor } from '../../../lib/index.ts';

describe("Gemma's exercises", () => {
  const small = {
    ...GEMMA3_270M,
    ...{ vocabSize: 60, contextLength: 32, embDim: 36, headDim: 8, nLayers: 3, hiddenDim: 48 },
    ...{ window: 4, windowed: [true, true, true] },
  };

  it('1: counts the parameters without building the model', () => {
    const model = new GemmaModel(small);
    expect(parametersOf(small)).to.equal(model.parameters().reduce((sum, p) => sum + p.size, 0));
    expect(parametersOf(GEMMA3_270M)).to.equal(268_098_176);
  });

  it('2: knows how far windows reach', () => {
    expect(reach(GEMMA3_270M)).to.equal(7665);
    expect(reach({ ...small, windowed: [true, false, true] })).to.equal(6);
    // A token further back than that changes nothing, and one at that distance does.
    const model = new GemmaModel(small).eval();
    const ids = Array.from({ length: 20 }, (_, i) => i);
    const last = (at: number) => {
      const changed = ids.map((id, i) => (i === at ? 50 : id));
      const logits = noGrad(() => model.forward(tensor([changed], { dtype: 'int32' }), { lastOnly: true }));
      return logits.toFlatArray() as number[];
    };
    expect(last(19 - reach(small) - 1)).to.eql(last(-1));
    expect(last(19 - reach(small))).to.not.eql(last(-1));
  });

  it('3: knows the slowest hands', () => {
    expect(slowestTurn(256, 10_000)).to.be.closeTo(58_470, 10);
    expect(slowestTurn(256, 1_000_000)).to.be.closeTo(5_640_000, 10_000);
  });
});
