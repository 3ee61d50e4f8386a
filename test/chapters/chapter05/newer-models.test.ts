import { expect } from 'chai';
import { showNewerModel } from '../../../chapters/chapter05/06-newer-models.ts';
import {
  calcLossBatch,
  calcLossWithoutPadding,
  continued,
  lossOfText,
  type NewerBase,
  obtainBase,
} from '../../../chapters/chapter05/index.ts';
import { wrapBlocksWithLoRA } from '../../../chapters/chapter06/index.ts';
import { Notebook } from '../../../chapters/common/notebook.ts';
import { F, noGrad, tensor } from '../../../lib/index.ts';
import { expectClose } from '../../support/close.ts';
import { TINY_GEMMA, TINY_LLAMA } from '../../support/tiny-models.ts';

const baseOf = async (weights: string) =>
  (await obtainBase({ model: 'mini', weights, print: () => {} })) as NewerBase;
const ids = (rows: number[][]) => tensor(rows, { dtype: 'int32' });

for (const [name, folder] of [
  ['Gemma', TINY_GEMMA],
  ['Llama', TINY_LLAMA],
]) {
  describe(`a small ${name} in chapter 5`, () => {
    const inputs = ids([
      [2, 5, 9, 40, 7, 3],
      [2, 8, 8, 1, 1, 1],
      [2, 50, 60, 70, 80, 1],
    ]);
    const targets = ids([
      [-100, -100, 40, 7, 3, 1],
      [8, 8, 1, -100, -100, -100],
      [-100, 60, 70, -100, 1, -100],
    ]);

    it('has the loss and the gradients of the plain way, without padding, prompts and the other logits', async () => {
      const base = await baseOf(folder);
      const [plain, short] = [await base.fresh(), await base.fresh()];
      for (const model of [plain, short]) {
        model.requiresGrad_(false);
        wrapBlocksWithLoRA(model, { rank: 2, alpha: 4 });
      }
      const start = plain.stateDict();
      short.loadStateDict(start);
      const losses = [calcLossBatch(inputs, targets, plain), calcLossWithoutPadding(inputs, targets, short)];
      for (const loss of losses) loss.backward();
      expect(losses[1].item()).to.be.closeTo(losses[0].item(), 1e-5);
      const wanted = new Map(plain.namedParameters());
      let compared = 0;
      for (const [path, { grad }] of short.namedParameters()) {
        const other = wanted.get(path)!.grad;
        expect(grad === null, path).to.equal(other === null);
        if (!grad || !other) continue;
        compared++;
        expectClose(grad.toFlatArray() as number[], other.toFlatArray() as number[], 1e-5, path);
      }
      expect(compared).to.be.above(10);
    });

    it('has a loss on a text that is the mean over its tokens, each piece with its beginning', async () => {
      const base = await baseOf(folder);
      const model = await base.fresh();
      const text = 'every effort moves you forward';
      const whole = base.tokeniser.encode(text);
      const start = base.tokeniser.encode('').length;
      const { tokens, perToken, perCharacter } = lossOfText(model, base.tokeniser, text);
      expect(tokens).to.equal(whole.length - Math.max(1, start));
      const logits = noGrad(() => model.forward(ids([whole.slice(0, -1)])).squeeze(0)); // [t − 1, v]
      const plain = F.crossEntropy(logits, tensor(whole.slice(1), { dtype: 'int32' })).item();
      expect(perToken).to.be.closeTo(plain, 1e-5);
      expect(perCharacter).to.be.closeTo((plain * tokens) / text.length, 1e-5);
    });

    it('goes on with a text, whose beginning is not printed', async () => {
      const base = await baseOf(folder);
      const made = continued(await base.fresh(), base, 'every effort', 3);
      expect(made).to.match(/^every effort./s);
      expect(made.length).to.be.below(60);
    });

    it('shows its loss on a story, and where its figures are', async () => {
      const lines: string[] = [];
      const nb = new Notebook('chapter05', (line) => lines.push(line));
      await showNewerModel(nb, await baseOf(folder), 'One day, an effort moved me. '.repeat(12));
      expect(lines.join('\n')).to.match(/the story +tokens +loss +perplexity/);
      expect(lines.at(-1)).to.match(/^Every effort moves you/);
      expect(nb.figures.newerModel).to.have.nested.property('losses.val.perToken');
    });
  });
}
