import { expect } from 'chai';
import { LinearWithLoRA, showWhatLoRAIs } from '../../../chapters/appendixE/01-what-lora-is.ts';
import { freezeAndWrap } from '../../../chapters/appendixE/04-fine-tuning-with-lora.ts';
import { showMerging } from '../../../chapters/appendixE/05-merging.ts';
import { countParameters } from '../../../chapters/chapter04/index.ts';
import { Notebook } from '../../../chapters/common/notebook.ts';
import { manualSeed, nn, noGrad, randn, tensor } from '../../../lib/index.ts';
import { expectNear } from '../../support/close.ts';
import { tinyClassifier } from '../chapter06/tiny.ts';

describe('appendix E', () => {
  it('the layers of the page are those of the library', () => {
    const linear = new nn.Linear(12, 7);
    manualSeed(4);
    const page = new LinearWithLoRA(linear, 3, 6);
    manualSeed(4);
    const library = new nn.LinearWithLoRA(linear, 3, 6);
    const { A, B } = library.lora!;
    expect(page.lora.A.toArray()).to.deep.equal(A.toArray());
    noGrad(() => {
      const learnt = randn(3, 7);
      page.lora.B.copyInPlace(learnt);
      B.copyInPlace(learnt);
    });
    const x = randn(2, 5, 12);
    expectNear(page.forward(x), library.forward(x)); // the library adds the update up where x W + b lies
  });

  it('x (W + AB) is x W + x A B, and a new wrapping changes nothing', () => {
    const lines: string[] = [];
    showWhatLoRAIs(new Notebook('appendixE', (line) => lines.push(line)), { rank: 16, alpha: 16 });
    expect(lines.join('\n')).to.match(
      /589,824 numbers, frozen[\s\S]*24,576 numbers, trained[\s\S]*4\.2% of W[\s\S]*changes no output \(0\)/,
    );
    expect(lines.at(-1)).to.match(/differ by \de-[678]: rounding$/);
  });

  it('freezing and wrapping print the trainable numbers before, between and after', () => {
    const nb = new Notebook('appendixE', () => {});
    const model = tinyClassifier();
    const all = countParameters(model);
    freezeAndWrap(nb, model, { rank: 2, alpha: 2 });
    expect(nb.figures.trainable).to.deep.equal({ before: all, frozen: 0, lora: 2 * (3 * 18 * 16 + 18) });
  });

  it('merging a trained update leaves the answers as they are', () => {
    const nb = new Notebook('appendixE', () => {});
    const model = tinyClassifier();
    freezeAndWrap(nb, model, { rank: 2, alpha: 4 });
    manualSeed(3);
    for (const [name, parameter] of model.namedParameters()) {
      if (name.endsWith('lora.B')) parameter.copyInPlace(randn(parameter.shape).mul(0.1));
    }
    showMerging(nb, model, tensor([[1, 2, 3]], { dtype: 'int32' }));
    const { merged, unmerged, logits } = nb.figures.merge as Record<string, number>;
    expect(merged).to.be.below(1e-5 * Math.max(1, logits));
    expect(unmerged).to.be.below(1e-5 * Math.max(1, logits));
  });
});
