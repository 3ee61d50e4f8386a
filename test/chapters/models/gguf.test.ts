import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { loadModel } from '../../../chapters/models/index.ts';
import { noGrad, type Tensor, tensor, UserError } from '../../../lib/index.ts';
import { onEachEngine } from '../../support/engines.ts';
import { type GgufChanges, tinyGguf } from '../../support/tiny-gguf.ts';

/** One thing changed in a GGUF file: the logits that go with it, or a line that names it. */
const { tiny } = JSON.parse(
  readFileSync(new URL('../../fixtures/llama/expected.json', import.meta.url), 'utf8'),
) as { tiny: { ids: number[][]; logits: number[][][] } };

const logitsOf = async (change: GgufChanges): Promise<Tensor> => {
  const { model } = await loadModel(tinyGguf(change));
  return noGrad(() => model.forward(tensor(tiny.ids, { dtype: 'int32' })));
};
const offBy = (logits: Tensor) => logits.sub(tensor(tiny.logits)).abs().amax().item();
const ones = (...shape: number[]) => ({
  shape,
  data: Array<number>(shape.reduce((a, b) => a * b, 1)).fill(1),
});

const REFUSED: Record<string, [GgufChanges, string]> = {
  'another architecture': [{ set: { 'general.architecture': 'gemma' } }, '“gemma”'],
  'four milliards of blocks': [{ set: { 'llama.block_count': 4e9 } }, 'llama.block_count'],
  'more tokens than the embedding has': [{ set: { 'llama.vocab_size': 4e9 } }, 'llama.vocab_size'],
  'a width of its own': [{ set: { 'llama.embedding_length': 64 } }, 'llama.embedding_length'],
  'heads that are no number': [{ set: { 'llama.attention.head_count': 'four' } }, 'head_count'],
  'no number of heads': [{ set: { 'llama.attention.head_count': null } }, 'head_count'],
  'a part of each head turned': [{ set: { 'llama.rope.dimension_count': 4 } }, 'rope.dimension_count'],
  'scaling of another kind': [{ set: { 'llama.rope.scaling.type': 'yarn' } }, 'rope.scaling.type'],
  'scaling by nothing': [{ set: { 'llama.rope.scaling.type': 'linear' } }, 'rope.scaling.factor'],
  'a scale of the scores': [{ set: { 'llama.attention.scale': { float: 0.5 } } }, 'llama.attention.scale'],
  'a window': [{ set: { 'llama.attention.sliding_window': 2 } }, 'sliding_window'],
  experts: [{ set: { 'llama.expert_count': 8 } }, 'expert_count'],
  'a part of several files': [{ set: { 'split.count': 2 } }, 'split.count'],
  'an adapter': [{ set: { 'general.type': 'adapter' } }, 'general.type'],
  'a bias': [{ tensors: { 'blk.0.attn_q.bias': ones(32) } }, 'blk.0.attn_q.bias'],
  'a norm of queries': [{ tensors: { 'blk.0.attn_q_norm.weight': ones(8) } }, 'attn_q_norm'],
  'a tensor missing': [{ tensors: { 'blk.1.ffn_up.weight': null } }, 'blk.1.ffn_up.weight'],
  'no embedding': [{ tensors: { 'token_embd.weight': null } }, 'no token embedding'],
  'factors of another length': [{ tensors: { 'rope_freqs.weight': ones(3) } }, 'rope_freqs.weight'],
  'factors of 0': [
    { tensors: { 'rope_freqs.weight': { shape: [4], data: [1, 1, 0, 1] } } },
    'rope_freqs.weight',
  ],
  'a number that is not finite': [
    { tensors: { 'output_norm.weight': { shape: [32], data: Array(32).fill(Number.NaN) } } },
    'NaN',
  ],
  "BERT's tokeniser": [{ set: { 'tokenizer.ggml.model': 'bert' } }, 'tokenizer.ggml.model'],
  'a blank in front of a text': [
    { set: { 'tokenizer.ggml.model': 'llama', 'tokenizer.ggml.pre': null } },
    'tokenizer.ggml.add_space_prefix',
  ],
  'pieces nobody knows': [{ set: { 'tokenizer.ggml.pre': 'deepseek-llm' } }, '“deepseek-llm”'],
  'no word of its pieces': [{ set: { 'tokenizer.ggml.pre': null } }, 'tokenizer.ggml.pre'],
  'no merges': [{ set: { 'tokenizer.ggml.merges': null } }, 'tokenizer.ggml.merges'],
  'an end that is no token': [{ set: { 'tokenizer.ggml.eos_token_id': 4e9 } }, 'eos_token_id'],
};

const SAME: Record<string, GgufChanges> = {
  'nothing changed': {},
  'sizes of 64 bits': { set: { 'llama.block_count': 2n, 'llama.context_length': 64n } },
  'a context of four milliards': { set: { 'llama.context_length': 4e9 } },
  'names and dates': { set: { 'general.name': 'tiny', 'general.url': 'x', 'somebody.quantised_by': 'me' } },
  'no scaling': { set: { 'llama.rope.scaling.type': 'none' } },
  'sizes said twice': { set: { 'llama.attention.key_length': 8, 'llama.rope.dimension_count': 8 } },
  'factors of 1': { tensors: { 'rope_freqs.weight': ones(4) } },
};

onEachEngine('a GGUF file', () => {
  for (const [what, change] of Object.entries(SAME)) {
    it(`with ${what} has the logits of the folder`, async () => {
      expect(offBy(await logitsOf(change))).to.be.below(2e-4);
    });
  }

  for (const [what, [change, named]] of Object.entries(REFUSED)) {
    it(`with ${what} is refused in one line`, async () => {
      const error = await loadModel(tinyGguf(change)).then(
        () => undefined,
        (caught) => caught,
      );
      expect(error).to.be.instanceOf(UserError);
      expect(error.message).to.include(named);
      expect(error.message).to.match(/^[^\n]+$/);
    });
  }

  it('with a head of its own has that head', async () => {
    const data = Array.from({ length: 287 * 32 }, (_, i) => ((i * 7919) % 13) / 13 - 0.5);
    const { model } = await loadModel(tinyGguf({ tensors: { 'output.weight': { shape: [287, 32], data } } }));
    expect(model.outHead.weight.toFlatArray()[5]).to.be.closeTo(data[5], 1e-6);
    expect(model.tokEmb.weight.toFlatArray()[5]).to.not.be.closeTo(data[5], 1e-6);
    expect(model.parameters().length).to.equal(2 * 9 + 3);
  });

  it('with other factors turns otherwise', async () => {
    const change = { tensors: { 'rope_freqs.weight': { shape: [4], data: [1, 2, 4, 8] } } };
    expect(offBy(await logitsOf(change))).to.be.above(1e-2);
  });

  it('with linear scaling turns as with one factor for all', async () => {
    const scaling = { 'llama.rope.scaling.type': 'linear', 'llama.rope.scaling.factor': { float: 4 } };
    const factors = { 'rope_freqs.weight': { shape: [4], data: [4, 4, 4, 4] } };
    const [scaled, divided] = [await logitsOf({ set: scaling }), await logitsOf({ tensors: factors })];
    expect(scaled.toFlatArray()).to.eql(divided.toFlatArray());
  });
});
