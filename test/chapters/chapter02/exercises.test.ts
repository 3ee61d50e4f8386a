import { expect } from 'chai';
import { splitWords } from '../../../chapters/chapter02/02-splitting.ts';
import { buildVocabulary } from '../../../chapters/chapter02/03-simple-tokeniser.ts';
import { SimpleTokeniserV2, withSpecialTokens } from '../../../chapters/chapter02/04-special-tokens.ts';
import { BytePairTokeniser } from '../../../chapters/chapter02/09-byte-pair-encoding.ts';
import {
  bytesPerToken,
  countWindows,
  mergeSteps,
  sinusoidalPositions,
  survives,
} from '../../../chapters/chapter02/exercises.ts';
import { gpt2FromTokens } from '../../../chapters/chapter02/gpt2-merges.ts';
import { GPTDatasetV1, tokeniser } from '../../../chapters/chapter02/index.ts';
import { obtain, STORY } from '../../../chapters/datasets/index.ts';
import type { Tensor } from '../../../lib/index.ts';

function numbers(t: Tensor): number[] {
  return t.toFlatArray() as number[];
}

describe('chapter 2: exercises', () => {
  it('1: which texts survive', async () => {
    const { data: text } = await obtain(STORY, { path: 'own' });
    const simple = new SimpleTokeniserV2(withSpecialTokens(buildVocabulary(splitWords(text))));
    expect(survives('I have the shop now.', simple)).to.equal(true);
    for (const lost of ['my  aunt', 'a computer', "It's"])
      expect(survives(lost, simple), lost).to.equal(false);
    const own = BytePairTokeniser.train('a', 257);
    for (const kept of ['my  aunt', 'a computer', "It's", '日本語 🙂\n\t']) {
      expect(survives(kept, tokeniser), kept).to.equal(true);
      expect(survives(kept, own), kept).to.equal(true);
    }
  });

  it('2: bytes per token', () => {
    expect(bytesPerToken('the cat and the dog', tokeniser)).to.equal(19 / 5);
    expect(bytesPerToken('de kat en de hond zaten daar', tokeniser)).to.be.below(3.6);
    expect(bytesPerToken('猫と犬', tokeniser)).to.be.below(2);
  });

  it('3: the number of pieces', () => {
    const text = 'a b c d e f g h i j';
    for (const maxLength of [1, 3, 9]) {
      for (const stride of [1, 2, 3, 10]) {
        const dataset = new GPTDatasetV1(text, tokeniser, maxLength, stride);
        expect(countWindows(10, maxLength, stride)).to.equal(dataset.length);
      }
    }
    expect(countWindows(3, 4, 1)).to.equal(0);
  });

  it('4: how a word is put together', () => {
    expect(mergeSteps(' lower', gpt2FromTokens())).to.deep.equal([
      [' ', 'l', 'o', 'w', 'e', 'r'],
      [' ', 'l', 'o', 'w', 'er'],
      [' l', 'o', 'w', 'er'],
      [' l', 'ow', 'er'],
      [' l', 'ower'],
      [' lower'],
    ]);
  });

  it('5: positions of sines and cosines', () => {
    const table = sinusoidalPositions(50, 8);
    expect(table.shape).to.deep.equal([50, 8]);
    expect(numbers(table.index(0))).to.deep.equal([0, 1, 0, 1, 0, 1, 0, 1]);
    for (const [position, pair] of [
      [7, 0],
      [31, 2],
      [49, 3],
    ]) {
      const angle = position / 10_000 ** ((2 * pair) / 8);
      expect(table.index(position, 2 * pair).item()).to.be.closeTo(Math.sin(angle), 1e-5);
      expect(table.index(position, 2 * pair + 1).item()).to.be.closeTo(Math.cos(angle), 1e-5);
    }
  });
});
