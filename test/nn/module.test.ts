import { expect } from 'chai';
import {
  F,
  manualSeed,
  nn,
  ones,
  type Tensor,
  tensor,
  UserError,
  useBackend,
  zeros,
} from '../../lib/index.ts';

/** Embedding, two layers in a list, a mask, a head. */
class Toy extends nn.Module {
  tokEmb = new nn.Embedding(5, 3);
  blocks = new nn.ModuleList([
    new nn.Linear(3, 3),
    new nn.Sequential(new nn.Linear(3, 3), new nn.Dropout(0.5)),
  ]);
  scale = new nn.Parameter(ones(3));
  mask = new nn.Buffer(ones(3));
  cache = new nn.Buffer(ones(2), false);
  outHead = new nn.Linear(3, 5, { bias: false });
  forward(ids: Tensor): Tensor {
    let x = this.tokEmb.forward(ids).mul(this.scale);
    for (const block of this.blocks) x = block.forward(x);
    return this.outHead.forward(x.mul(this.mask));
  }
}

const KEYS = [
  'tok_emb.weight',
  'blocks.0.weight',
  'blocks.0.bias',
  'blocks.1.0.weight',
  'blocks.1.0.bias',
  'scale',
  'mask',
  'out_head.weight',
];
const parameterKeys = KEYS.filter((key) => key !== 'mask');
const snapshot = (module: nn.Module) =>
  Object.fromEntries(Object.entries(module.stateDict()).map(([key, t]) => [key, t.clone()]));
const numbers = (state: Record<string, Tensor>) =>
  Object.fromEntries(Object.entries(state).map(([key, t]) => [key, t.toArray()]));

describe('Module', () => {
  before(() => useBackend('js'));
  beforeEach(() => manualSeed(1));

  it('names its state by the fields that lead to it, in their order', () => {
    const toy = new Toy();
    expect(Object.keys(toy.stateDict())).to.deep.equal(KEYS);
    expect(Array.from(toy.namedParameters(), ([name]) => name)).to.deep.equal(parameterKeys);
    expect(toy.parameters()).to.have.length(parameterKeys.length);
    expect(Array.from(toy.namedModules(), ([name]) => name)).to.deep.equal([
      ...['', 'tok_emb', 'blocks', 'blocks.0', 'blocks.1', 'blocks.1.0', 'blocks.1.1', 'out_head'],
    ]);
    expect(Array.from(toy.namedChildren(), ([name]) => name)).to.deep.equal([
      'tok_emb',
      'blocks',
      'out_head',
    ]);
  });

  it('loads what another saved, by copying', () => {
    const [from, to] = [new Toy(), new Toy()];
    expect(numbers(to.stateDict())).not.to.deep.equal(numbers(from.stateDict()));
    to.loadStateDict(from.stateDict());
    expect(numbers(to.stateDict())).to.deep.equal(numbers(from.stateDict()));
    from.scale.copyInPlace(tensor([7, 8, 9]));
    expect(to.scale.toArray()).to.deep.equal([1, 1, 1]);
    expect(to.scale.requiresGrad).to.equal(true);
  });

  it('loads a view as its numbers', () => {
    const toy = new Toy();
    const state = {
      ...toy.stateDict(),
      'blocks.0.weight': tensor([
        [1, 2, 3],
        [4, 5, 6],
        [7, 8, 9],
      ]).T,
    };
    toy.loadStateDict(state);
    expect(toy.stateDict()['blocks.0.weight'].toArray()).to.deep.equal([
      [1, 4, 7],
      [2, 5, 8],
      [3, 6, 9],
    ]);
  });

  it('names every missing and unexpected key and every wrong shape, and then changes nothing', () => {
    const toy = new Toy();
    const before = numbers(snapshot(toy));
    const { 'tok_emb.weight': _a, scale: _b, ...state } = new Toy().stateDict();
    const wrong = {
      ...state,
      'out_head.weight': zeros(2, 3),
      'blocks.0.bias': zeros(1, 3),
      'blocks.9.weight': zeros(1),
      extra: zeros(1),
    };
    expect(() => toy.loadStateDict(wrong)).to.throw(
      UserError,
      'the weights do not fit the model: missing keys: tok_emb.weight, scale · ' +
        'unexpected keys: blocks.9.weight, extra · ' +
        'wrong shapes: blocks.0.bias is [1, 3], expected [3]; out_head.weight is [2, 3], expected [5, 3]',
    );
    expect(() =>
      toy.loadStateDict({ ...new Toy().stateDict(), scale: zeros(...toy.scale.shape).int() }),
    ).to.throw(UserError, 'the weights do not fit the model: wrong types: scale is int32, expected float32');
    expect(numbers(toy.stateDict())).to.deep.equal(before);
    expect(() => toy.loadStateDict({})).to.throw(
      'missing keys: tok_emb.weight, blocks.0.weight, blocks.0.bias and 5 more',
    );
    // @ts-expect-error an option of another name is refused, not dropped
    expect(() => toy.loadStateDict({}, { Strict: false })).to.throw(UserError, 'did you mean strict?');
  });

  it("spells its fields as Python does, and takes a class's own names where those differ", () => {
    class Attention extends nn.Module {
      static override readonly stateNames = { wQuery: 'W_query' };
      wQuery = new nn.Linear(1, 1, { bias: false });
      outProj = new nn.Linear(1, 1, { bias: false });
      norm1 = new nn.LayerNorm(1);
      A = new nn.Parameter(ones(1));
      forward(x: Tensor): Tensor {
        return x;
      }
    }
    const keys = ['W_query.weight', 'out_proj.weight', 'norm1.weight', 'norm1.bias', 'A'];
    expect(Object.keys(new Attention().stateDict())).to.deep.equal(keys);
    expect(String(new Attention())).to.include('(out_proj): Linear');
  });

  it('refuses modules that Python would not find either, and two fields of one name', () => {
    class Hiding extends nn.Module {
      readonly blocks: unknown;
      constructor(blocks: unknown) {
        super();
        this.blocks = blocks;
      }
      forward(x: Tensor): Tensor {
        return x;
      }
    }
    const layer = new nn.ReLU();
    for (const blocks of [[layer], new Map([['a', layer]]), new Set([layer]), { a: layer }]) {
      expect(() => new Hiding(blocks).parameters()).to.throw(
        UserError,
        'Hiding.blocks: modules and parameters',
      );
    }
    for (const blocks of [[1, 2], new Map(), { a: { b: 1 } }, zeros(2), null]) {
      expect(new Hiding(blocks).parameters()).to.deep.equal([]);
    }
    class Twice extends Hiding {
      tokEmb = new nn.Parameter(ones(1));
      tok_emb = new nn.Parameter(ones(1));
    }
    expect(() => new Twice(null).stateDict()).to.throw(UserError, 'two fields have the name tok_emb');
  });

  it('takes what else a forward needs, and knows what a list holds', () => {
    class Block extends nn.Module {
      readonly factor = 2;
      forward(x: Tensor, cache?: number[]): Tensor {
        cache?.push(x.size);
        return x.mul(this.factor);
      }
    }
    const blocks: nn.Sequential<Block[]> = new nn.Sequential(new Block(), new Block());
    const pair = new nn.Sequential(new Block(), new nn.ReLU()); // of two kinds
    const sizes: number[] = [];
    expect(blocks.at(-1).forward(ones(2), sizes).mul(blocks[0].factor).toArray()).to.deep.equal([4, 4]);
    expect(sizes).to.deep.equal([2]);
    expect(pair.forward(ones(1)).toArray()).to.deep.equal([2]);
    expect(() => blocks.at(2)).to.throw(UserError, 'there is no module 2 in a list of 2');
  });

  it('two Linears can share a parameter', () => {
    const toy = new Toy();
    toy.outHead = nn.Linear.of(toy.tokEmb.weight);
    expect(toy.outHead.weight).to.equal(toy.tokEmb.weight);
  });

  it('takes a part when it is not to be strict, but no other shape', () => {
    const toy = new Toy();
    const part = { scale: tensor([4, 5, 6]), extra: zeros(1) };
    expect(() => toy.loadStateDict(part)).to.throw('missing keys');
    toy.loadStateDict(part, { strict: false });
    expect(toy.scale.toArray()).to.deep.equal([4, 5, 6]);
    expect(() => toy.loadStateDict({ scale: zeros(2) }, { strict: false })).to.throw(
      'scale is [2], expected [3]',
    );
  });

  it('counts a tied weight once, and saves it under both names', () => {
    const toy = new Toy();
    toy.outHead.weight = toy.tokEmb.weight;
    expect(Array.from(toy.namedParameters(), ([name]) => name)).to.deep.equal(parameterKeys.slice(0, -1));
    const state = toy.stateDict();
    expect(Object.keys(state)).to.deep.equal(KEYS);
    expect(state['out_head.weight']).to.equal(state['tok_emb.weight']);
    toy.eval();
    const ids = tensor([1, 4], { dtype: 'int32' });
    toy.forward(ids).sum().backward();
    const tied = toy.tokEmb.weight.grad!.toFlatArray() as number[];
    const untied = new Toy();
    untied.loadStateDict(state);
    untied.eval().forward(ids).sum().backward();
    const sum = untied.tokEmb.weight.grad!.add(untied.outHead.weight.grad!).toFlatArray() as number[];
    tied.forEach((g, i) => void expect(g).to.be.closeTo(sum[i], 1e-6));
  });

  it('freezes, thaws and forgets gradients', () => {
    const toy = new Toy();
    const loss = () =>
      F.crossEntropy(toy.forward(tensor([1, 2], { dtype: 'int32' })), tensor([0, 1], { dtype: 'int32' }));
    expect(toy.requiresGrad_(false)).to.equal(toy);
    expect(toy.parameters().every((p) => !p.requiresGrad)).to.equal(true);
    expect(loss().requiresGrad).to.equal(false);
    toy.outHead.requiresGrad_(true);
    loss().backward();
    expect(toy.parameters().map((p) => p.grad !== null)).to.deep.equal(
      parameterKeys.map((key) => key === 'out_head.weight'),
    );
    toy.zeroGrad();
    expect(toy.outHead.weight.grad).to.equal(null);
  });

  it('passes train and eval on to all below', () => {
    const toy = new Toy();
    const modes = () => Array.from(toy.namedModules(), ([, module]) => module.training);
    expect(modes()).to.deep.equal(new Array(8).fill(true));
    expect(toy.eval()).to.equal(toy);
    expect(modes()).to.deep.equal(new Array(8).fill(false));
    toy.train();
    expect(modes()).to.deep.equal(new Array(8).fill(true));
  });

  it('replaces a child by the name in its state', () => {
    const toy = new Toy();
    const head = new nn.Linear(3, 2);
    toy.replaceChild('out_head', head);
    expect(toy.outHead).to.equal(head);
    toy.blocks.replaceChild('1', head);
    expect([toy.blocks.at(1), toy.blocks.at(-1), [...toy.blocks][1]]).to.deep.equal([head, head, head]);
    expect(() => toy.replaceChild('outHead', head)).to.throw(
      'replaceChild: there is no module outHead; there are tok_emb, blocks, out_head',
    );
  });

  it('finds a module by its path', () => {
    const toy = new Toy();
    expect(toy.getSubmodule('')).to.equal(toy);
    expect(toy.getSubmodule('out_head')).to.equal(toy.outHead);
    expect(toy.getSubmodule('blocks.1.0')).to.be.instanceOf(nn.Linear);
    expect(() => toy.getSubmodule('blocks.2.0')).to.throw(UserError, 'no module 2 on the way to blocks.2.0');
  });

  it('a ModuleList has no forward, a Sequential calls its modules in turn', () => {
    expect(() => new nn.ModuleList([]).forward()).to.throw('call its modules');
    const x = tensor([[-1, 2]]);
    expect(new nn.Sequential().forward(x)).to.equal(x);
    expect(new nn.Sequential(new nn.ReLU(), new nn.ReLU()).forward(x).toArray()).to.deep.equal([[0, 2]]);
  });
});
