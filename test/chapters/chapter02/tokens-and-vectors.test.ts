import { expect } from 'chai';
import { splitWords } from '../../../chapters/chapter02/02-splitting.ts';
import { buildVocabulary, SimpleTokeniserV1 } from '../../../chapters/chapter02/03-simple-tokeniser.ts';
import { SimpleTokeniserV2, withSpecialTokens } from '../../../chapters/chapter02/04-special-tokens.ts';
import { embedByProduct } from '../../../chapters/chapter02/07-token-embeddings.ts';
import { InputEmbedding } from '../../../chapters/chapter02/08-positions.ts';
import { countWindows } from '../../../chapters/chapter02/exercises.ts';
import {
  createDataloaderV1,
  END_OF_TEXT,
  END_OF_TEXT_ID,
  GPTDatasetV1,
  tokeniser,
} from '../../../chapters/chapter02/index.ts';
import { manualSeed, nn, type Tensor, tensor, UserError } from '../../../lib/index.ts';

const TEXT = 'The cat sat. The dog -- a big dog -- did not; "why?"';

function numbers(t: Tensor): number[] {
  return t.toFlatArray() as number[];
}

describe('chapter 2: simple tokenisers', () => {
  const words = splitWords(TEXT);
  const vocabulary = buildVocabulary(words);

  it('splits words from punctuation', () => {
    expect(splitWords('Well--yes, "no"!')).to.deep.equal(['Well', '--', 'yes', ',', '"', 'no', '"', '!']);
    expect(splitWords(' \n ')).to.deep.equal([]);
  });

  it('numbers the distinct words in order', () => {
    expect([...vocabulary.keys()]).to.deep.equal([...new Set(words)].sort());
    expect([...vocabulary.values()]).to.deep.equal(Array.from({ length: vocabulary.size }, (_, i) => i));
  });

  it('gives back what it knows, and refuses what it does not', () => {
    const v1 = new SimpleTokeniserV1(vocabulary);
    expect(v1.decode(v1.encode('The dog sat.'))).to.equal('The dog sat.');
    expect(() => v1.encode('The bird')).to.throw(UserError, 'no word “bird”');
  });

  it('writes <|unk|> for unknown words and knows the end of a text', () => {
    const extended = withSpecialTokens(vocabulary);
    const v2 = new SimpleTokeniserV2(extended);
    expect(v2.encode(`bird ${END_OF_TEXT}`)).to.deep.equal([vocabulary.size + 1, vocabulary.size]);
    expect(v2.decode(v2.encode('The bird sat.'))).to.equal('The <|unk|> sat.');
  });
});

describe("chapter 2: GPT-2's tokeniser", () => {
  it('knows the end of a text wherever it stands, if it is allowed', () => {
    const ids = tokeniser.encode(`a${END_OF_TEXT}b${END_OF_TEXT}`, { allowedSpecial: [END_OF_TEXT] });
    expect(ids).to.deep.equal([64, END_OF_TEXT_ID, 65, END_OF_TEXT_ID]);
    expect(tokeniser.decode(ids)).to.equal(`a${END_OF_TEXT}b${END_OF_TEXT}`);
    expect(() => tokeniser.encode(`a${END_OF_TEXT}`)).to.throw(UserError, 'allowedSpecial');
  });

  it('keeps nothing back from one decode to the next', () => {
    const [first, ...rest] = tokeniser.encode('🙂');
    expect(rest).not.to.deep.equal([]);
    expect(tokeniser.decode([first])).to.equal('�');
    expect(tokeniser.decode(tokeniser.encode('abc'))).to.equal('abc');
    expect(tokeniser.decode([first, ...rest])).to.equal('🙂');
  });

  it('leaves a byte order mark in its place', () => {
    for (const text of ['\ufeffa', 'a\ufeff'])
      expect(tokeniser.decode(tokeniser.encode(text))).to.equal(text);
  });

  it('refuses an id that is none', () => {
    expect(() => tokeniser.decode([50257])).to.throw('no token 50257');
  });
});

describe('chapter 2: the sliding window', () => {
  it('gives every position its next token for a target', () => {
    const text = 'In the heart of the city stood the old library, a relic from a bygone era.';
    const ids = tokeniser.encode(text);
    const dataset = new GPTDatasetV1(text, tokeniser, 4, 2);
    expect(dataset.length).to.equal(countWindows(ids.length, 4, 2));
    for (let i = 0; i < dataset.length; i++) {
      const [input, target] = dataset.get(i);
      expect(numbers(input)).to.deep.equal(ids.slice(2 * i, 2 * i + 4));
      expect(numbers(target)).to.deep.equal(ids.slice(2 * i + 1, 2 * i + 5));
      expect(input.dtype).to.equal('int32');
    }
  });

  it('refuses a text that is too short', () => {
    expect(() => new GPTDatasetV1('too short', tokeniser, 4, 4)).to.throw(UserError, 'it needs 5');
  });

  it('makes batches, in order or shuffled by the seed', () => {
    const text = 'one two three four five six seven eight nine ten eleven twelve';
    const options = { batchSize: 2, maxLength: 2, stride: 1 };
    const inOrder = [...createDataloaderV1(text, { ...options, shuffle: false })];
    expect(inOrder[0].map((t) => t.shape)).to.deep.equal([
      [2, 2],
      [2, 2],
    ]);
    manualSeed(1);
    const shuffled = [...createDataloaderV1(text, options)].map(([inputs]) => numbers(inputs));
    manualSeed(1);
    const again = [...createDataloaderV1(text, options)].map(([inputs]) => numbers(inputs));
    expect(shuffled).to.deep.equal(again);
    expect(shuffled).not.to.deep.equal(inOrder.map(([inputs]) => numbers(inputs)));
  });
});

describe('chapter 2: embeddings', () => {
  it('looks up what a product with one-hot vectors computes', () => {
    manualSeed(2);
    const layer = new nn.Embedding(7, 3);
    const ids = tensor([6, 0, 2], { dtype: 'int32' });
    expect(numbers(embedByProduct(ids, layer.weight))).to.deep.equal(numbers(layer.forward(ids)));
  });

  it('adds the vectors of token and position', () => {
    manualSeed(3);
    const embedding = new InputEmbedding(10, 4, 2);
    const out = embedding.forward(tensor([[9, 9, 9]], { dtype: 'int32' }));
    expect(out.shape).to.deep.equal([1, 3, 2]);
    const expected = embedding.tokens.weight.index(9).add(embedding.positions.weight.index(2));
    expect(numbers(out.index(0, 2))).to.deep.equal(numbers(expected));
  });
});
