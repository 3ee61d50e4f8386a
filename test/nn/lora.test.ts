import { expect } from 'chai';
import {
  F,
  manualSeed,
  nn,
  noGrad,
  optim,
  randn,
  type Tensor,
  tensor,
  UserError,
  useBackend,
  zeros,
} from '../../lib/index.ts';
import { expectClose, expectTensor } from '../support/close.ts';
import { decodeTensor, floatsFromHex, hexOfFloats, loadFixture } from '../support/fixtures.ts';
import { kernelCalls, productsOf } from '../support/spy.ts';

class Toy extends nn.Module {
  emb = new nn.Embedding(9, 6);
  body = new nn.Sequential(
    new nn.Linear(6, 8),
    new nn.ReLU(),
    new nn.Sequential(new nn.Linear(8, 6, { bias: false })),
  );
  norm = new nn.LayerNorm(6);
  head = new nn.Linear(6, 2);
  forward(ids: Tensor): Tensor {
    return this.head.forward(this.norm.forward(this.body.forward(this.emb.forward(ids))));
  }
}

const IDS = tensor(
  [
    [1, 5, 3],
    [0, 8, 8],
  ],
  { dtype: 'int32' },
);
const LABELS = tensor([0, 1, 1, 0, 1, 0], { dtype: 'int32' });
const loss = (model: nn.Module) => F.crossEntropy(model.forward(IDS).flatten(0, 1), LABELS);
const LINEARS = ['body.0', 'body.2.0', 'head'];
const sizes = (parameters: Iterable<nn.Parameter>) =>
  Array.from(parameters).reduce((sum, p) => sum + p.size, 0);

/** A frozen model with LoRA on every Linear, trained for some steps so that B is no longer zero. */
function trained(steps: number, options = { rank: 2, alpha: 6 }): Toy {
  manualSeed(11);
  const toy = new Toy();
  toy.requiresGrad_(false);
  nn.replaceLinearWithLoRA(toy, options);
  const optimizer = new optim.AdamW(
    toy.parameters().filter((p) => p.requiresGrad),
    { lr: 0.05, weightDecay: 0.1 },
  );
  for (let i = 0; i < steps; i++) {
    optimizer.zeroGrad();
    loss(toy).backward();
    optimizer.step();
  }
  return toy;
}

const bits = (t: Tensor) => hexOfFloats(t.toFlatArray() as number[]);
const layersOf = (model: nn.Module) =>
  Array.from(model.namedModules(), ([, m]) => m).filter((m) => m instanceof nn.LinearWithLoRA);

describe('LoRA', () => {
  before(() => useBackend('js'));

  describe('a layer', () => {
    it('draws A, starts B at zero, and computes (alpha / rank) x A B, as the book in PyTorch', () => {
      const { seed, rank, alpha, A, B, x, y, gradients } = loadFixture('nn').lora;
      manualSeed(seed);
      const layer = new nn.LinearWithLoRA(new nn.Linear(6, 4).requiresGrad_(false), rank, alpha);
      expectTensor(layer.lora.A, decodeTensor(A), 0, 'A');
      expect(layer.lora.B.shape).to.deep.equal([rank, 4]);
      expect(layer.lora.B.toFlatArray().every((b) => b === 0)).to.equal(true);

      layer.lora.B.copyInPlace(decodeTensor(B));
      const input = decodeTensor(x).requiresGrad_();
      const out = layer.forward(input);
      expectTensor(out, decodeTensor(y), 2e-6, 'y');
      out
        .mul(tensor(Float32Array.from({ length: 20 }, (_, i) => i)).reshape(5, 4))
        .sum()
        .backward();
      for (const [name, t] of Object.entries({ A: layer.lora.A, B: layer.lora.B, x: input })) {
        expectClose(t.grad!.toFlatArray(), floatsFromHex(gradients[name]), 1e-5, `gradient of ${name}`);
      }
    });

    it('has the gradients of A and B that finite differences give', () => {
      manualSeed(5);
      const layer = new nn.LoRALayer(4, 3, 2, 5);
      layer.B.copyInPlace(randn(2, 3));
      const x = randn(5, 4);
      const weights = randn(5, 3);
      const value = () =>
        (layer.forward(x).mul(weights).toFlatArray() as number[]).reduce((a, b) => a + b, 0);
      layer.forward(x).backward(weights);
      for (const parameter of [layer.A, layer.B]) {
        const data = parameter.storage.data;
        const gradient = parameter.grad!.toFlatArray() as number[];
        for (let i = 0; i < data.length; i++) {
          const before = data[i];
          const at = (move: number) => {
            parameter.storage.writable[i] = before + move;
            return value();
          };
          // Bilinear: the difference has no higher terms, and a wide step costs nothing.
          const difference = (at(0.5) - at(-0.5)) / (Math.fround(before + 0.5) - Math.fround(before - 0.5));
          at(0);
          expect(gradient[i]).to.be.closeTo(difference, 1e-4);
        }
      }
    });

    it("draws A from ±1/√rank, the book's bound, not PEFT's ±1/√in", () => {
      manualSeed(2);
      const { A } = new nn.LoRALayer(400, 3, 16, 16);
      const sizesOfA = (A.toFlatArray() as number[]).map(Math.abs);
      expect(A.shape).to.deep.equal([400, 16]);
      expect(Math.max(...sizesOfA)).to.be.within(0.245, 0.25);
    });

    it('scales by alpha / rank', () => {
      for (const [rank, alpha] of [
        [16, 16],
        [4, 8],
        [8, 2],
      ]) {
        const layer = new nn.LoRALayer(5, 3, rank, alpha);
        layer.B.copyInPlace(randn(rank, 3));
        const x = randn(2, 5);
        expect(layer.scaling).to.equal(alpha / rank);
        expectTensor(
          layer.forward(x),
          x
            .matmul(layer.A)
            .matmul(layer.B)
            .mul(alpha / rank)
            .detach(),
          1e-6,
        );
        expectTensor(
          layer.delta(),
          layer.A.matmul(layer.B)
            .t()
            .mul(alpha / rank)
            .contiguous(),
          1e-6,
        );
      }
    });

    it('refuses a rank or an alpha that is none', () => {
      expect(() => new nn.LoRALayer(2, 2, 0, 1)).to.throw(
        'LoRA: the rank is a whole number from 1 up, not 0',
      );
      expect(() => new nn.LoRALayer(2, 2, 1.5, 1)).to.throw('from 1 up, not 1.5');
      expect(() => new nn.LoRALayer(2, 2, 1, Number.NaN)).to.throw('alpha is a finite number, not NaN');
    });

    it('fromLinear freezes what it wraps', () => {
      const linear = new nn.Linear(3, 2);
      const layer = nn.LinearWithLoRA.fromLinear(linear, { rank: 1, alpha: 1 });
      expect(layer.linear).to.equal(linear);
      expect(layer.parameters().map((p) => p.requiresGrad)).to.deep.equal([false, false, true, true]);
    });
  });

  describe('a wrapped model', () => {
    it('has a layer for every Linear, named as the notebook names it', () => {
      const toy = trained(0);
      const wrapped = Array.from(toy.namedModules()).filter(([, m]) => m instanceof nn.LinearWithLoRA);
      expect(wrapped.map(([name]) => name)).to.deep.equal(LINEARS);
      const keys = Object.keys(toy.stateDict());
      for (const name of LINEARS) {
        expect(keys).to.include.members([`${name}.linear.weight`, `${name}.lora.A`, `${name}.lora.B`]);
      }
      expect(toy.parameters().filter((p) => p.requiresGrad)).to.have.length(2 * LINEARS.length);
    });

    it('trains rank · (in + out) numbers for each Linear', () => {
      for (const rank of [1, 2, 5]) {
        const toy = trained(0, { rank, alpha: 1 });
        const formula = [
          [6, 8],
          [8, 6],
          [6, 2],
        ].reduce((sum, [a, b]) => sum + rank * (a + b), 0);
        expect(sizes(toy.parameters().filter((p) => p.requiresGrad))).to.equal(formula);
      }
    });

    it('is not wrapped a second time', () => {
      const toy = trained(0);
      const before = Object.keys(toy.stateDict());
      nn.replaceLinearWithLoRA(toy, { rank: 2, alpha: 1 });
      expect(Object.keys(toy.stateDict())).to.deep.equal(before);
    });

    it('answers as before, bit for bit, until its first step', () => {
      manualSeed(11);
      const plain = new Toy();
      const wrapped = trained(0);
      expectTensor(wrapped.forward(IDS), plain.forward(IDS).detach());
      expect(loss(trained(3)).item()).to.be.below(loss(wrapped).item());
    });

    it('changes A and B only: every frozen weight is the same bit for bit after steps', () => {
      const [start, end] = [trained(0).stateDict(), trained(3).stateDict()];
      for (const [key, before] of Object.entries(start)) {
        const same = bits(before) === bits(end[key]);
        expect(same, key).to.equal(!key.includes('lora'));
      }
    });

    for (const backend of ['js', 'wasm'] as const) {
      it(`has the values and gradients of x Wᵀ + b and scaling · x A B added up, on ${backend}`, async () => {
        await useBackend(backend);
        for (const [bias, frozen, scaling] of [
          [true, true, 3],
          [false, false, 1],
          [true, false, 0.5],
        ] as const) {
          const results = [true, false].map((together) => {
            manualSeed(5);
            const linear = new nn.Linear(7, 10, { bias }).requiresGrad_(!frozen);
            const layer = new nn.LinearWithLoRA(linear, 2, 2 * scaling);
            noGrad(() => void layer.lora.B.copyInPlace(randn(2, 10)));
            const x = randn(3, 5, 7).requiresGrad_();
            const y = together ? layer.forward(x) : linear.forward(x).add(layer.lora.forward(x));
            y.mul(randn(3, 5, 10))
              .sum()
              .backward();
            return [y.detach(), x.grad, ...layer.parameters().map((p) => p.grad)];
          });
          results[0].forEach((t, i) => {
            const other = results[1][i];
            if (t && other) expectTensor(t, other, 1e-5);
            else expect(t).to.equal(other);
          });
        }
        await useBackend('js');
      });
    }

    it('computes no gradient for frozen weights: no product of that shape is asked for', async () => {
      const toy = trained(1);
      const value = loss(toy);
      const calls = await kernelCalls(() => value.backward());
      // Behind each update a product for A and one for B; x's gradient through A B is added to that through W.
      const addedTo = calls.filter(({ name }) => name === 'matmulInto').map(({ shapes }) => shapes[0]);
      expect(addedTo).to.have.deep.members([
        [6, 6],
        [6, 8],
        [6, 2],
        [2, 2],
        [8, 2],
        [2, 6],
        [6, 2],
        [2, 8],
      ]);
      const frozen = toy.parameters().filter((p) => !p.requiresGrad);
      expect(frozen.every((p) => p.grad === null)).to.equal(true);
      expect(calls.some(({ name }) => name === 'embeddingBackwardInto')).to.equal(false);

      // The first Linear's input needs no gradient: each of the two others costs one product, each update one.
      expect(productsOf(calls).filter((name) => name === 'matmul')).to.have.length(2 + 3);
    });

    it('saves and loads', () => {
      const [from, to] = [trained(2), trained(0)];
      to.loadStateDict(from.stateDict());
      expectTensor(to.forward(IDS), from.forward(IDS).detach());
    });
  });

  describe('merging', () => {
    it('gives the same answers, without the update', async () => {
      const toy = trained(3);
      const before = toy.forward(IDS).detach();
      nn.mergeLoRA(toy);
      expect(layersOf(toy).every((layer) => layer.merged)).to.equal(true);
      expectTensor(toy.forward(IDS).detach(), before, 2e-6, 'merged');
      const calls = await kernelCalls(() => toy.forward(IDS));
      expect(productsOf(calls)).to.have.length(LINEARS.length);
    });

    it('adds (alpha / rank) (A B)ᵀ to W, and twice is once', () => {
      const [layer] = layersOf(trained(3));
      const wanted = layer.linear.weight
        .detach()
        .clone()
        .add(layer.lora.A.detach().matmul(layer.lora.B.detach()).t().mul(3));
      for (let i = 0; i < 3; i++) {
        layer.merge();
        expectTensor(layer.linear.weight.detach(), wanted, 1e-6, `merge ${i + 1}`);
      }
    });

    it('can be undone, once or more often, to the rounding of float32', () => {
      const toy = trained(3);
      const before = layersOf(toy).map((layer) => layer.linear.weight.detach().clone());
      nn.unmergeLoRA(toy); // not merged: nothing to do
      nn.mergeLoRA(toy);
      nn.unmergeLoRA(toy);
      nn.unmergeLoRA(toy);
      layersOf(toy).forEach((layer, i) => {
        expect(layer.merged).to.equal(false);
        expectTensor(layer.linear.weight.detach(), before[i], 5e-7, `weight ${i}`);
      });
    });

    it('leaves W frozen, and the graph out of it', () => {
      const [layer] = layersOf(trained(1));
      layer.merge();
      const { weight } = layer.linear;
      expect([weight.requiresGrad, weight.isLeaf, weight.grad]).to.deep.equal([false, true, null]);
    });

    it('toLinear gives a plain Linear in memory of its own, merged or not', () => {
      for (const merged of [false, true]) {
        const [layer] = layersOf(trained(3));
        const x = randn(2, 6);
        const wanted = layer.forward(x).detach();
        if (merged) layer.merge();
        const linear = layer.toLinear();
        expect(linear).to.be.instanceOf(nn.Linear);
        expect(Object.keys(linear.stateDict())).to.deep.equal(['weight', 'bias']);
        expect(linear.weight.isLeaf).to.equal(true);
        expectTensor(linear.forward(x).detach(), wanted, 2e-6);
        layer.linear.weight.copyInPlace(zeros(8, 6));
        layer.linear.bias!.copyInPlace(zeros(8));
        expectTensor(linear.forward(x).detach(), wanted, 2e-6, 'after the other was changed');
      }
    });
  });

  describe('where Linears are', () => {
    it('wraps the ones named: whole names, last parts, or a pattern', () => {
      const wrapped = (targets: nn.LoRAOptions['targets']) => {
        const toy = new Toy();
        nn.replaceLinearWithLoRA(toy, { rank: 1, alpha: 1, targets });
        return Array.from(toy.namedModules()).flatMap(([name, m]) =>
          m instanceof nn.LinearWithLoRA ? [name] : [],
        );
      };
      expect(wrapped(undefined)).to.deep.equal(LINEARS);
      expect(wrapped(['head'])).to.deep.equal(['head']);
      expect(wrapped(['0'])).to.deep.equal(['body.0', 'body.2.0']);
      expect(wrapped(['2.0', 'body.0'])).to.deep.equal(['body.0', 'body.2.0']);
      expect(wrapped(/body\..*/)).to.deep.equal(['body.0', 'body.2.0']);
      expect(wrapped(/head/g)).to.deep.equal(['head']);
      expect(() => wrapped(['head', 'ead', 'c_attn'])).to.throw(
        UserError,
        'no Linear is called ead, c_attn; there are body.0, body.2.0, head',
      );
      expect(() => wrapped([])).to.throw(UserError, 'no target given');
      expect(() =>
        nn.replaceLinearWithLoRA(new nn.Sequential(new nn.ReLU()), { rank: 2, alpha: 2 }),
      ).to.throw(UserError, 'the model has no Linear to be wrapped');
      expect(() => wrapped(/hea/)).to.throw(UserError, 'no Linear is called /hea/');
    });

    it('says what to do with a bare Linear, and with an option it does not have', () => {
      const options = { rank: 1, alpha: 1 };
      expect(() => nn.replaceLinearWithLoRA(new nn.Linear(2, 2), options)).to.throw(UserError, 'fromLinear');
      const wrong = { ...options, target_modules: ['head'] };
      expect(() => nn.replaceLinearWithLoRA(new Toy(), wrong)).to.throw(
        UserError,
        'no option target_modules',
      );
    });

    it('wraps and merges a Linear that is used twice once', () => {
      const shared = new nn.Linear(3, 3);
      const model = new nn.Sequential(shared, new nn.ReLU(), shared);
      nn.replaceLinearWithLoRA(model, { rank: 1, alpha: 1 });
      expect(model.at(0)).to.equal(model.at(2));
      expect(model.parameters()).to.have.length(4);
      const [layer] = layersOf(model);
      layer.lora.B.copyInPlace(randn(1, 3));
      const x = randn(2, 3);
      const before = model.forward(x).detach();
      nn.mergeLoRA(model);
      expectTensor(model.forward(x).detach(), before, 1e-5);
    });

    it('leaves an embedding as it is when the head tied to it is merged', () => {
      const toy = new Toy();
      toy.head = nn.Linear.of(toy.emb.weight); // [9, 6]
      toy.requiresGrad_(false);
      nn.replaceLinearWithLoRA(toy, { rank: 2, alpha: 2, targets: ['head'] });
      const [layer] = layersOf(toy);
      layer.lora.B.copyInPlace(randn(2, 9));
      const before = toy.forward(IDS).detach();
      const embedding = bits(toy.emb.weight);
      nn.mergeLoRA(toy);
      expect(bits(toy.emb.weight)).to.equal(embedding);
      expectTensor(toy.forward(IDS).detach(), before, 1e-5);
      nn.unmergeLoRA(toy);
      expect(layer.weight).to.equal(toy.emb.weight);
      expectTensor(toy.forward(IDS).detach(), before);
    });
  });

  describe('options', () => {
    it('PEFT draws A from ±1/√in', () => {
      const { A } = new nn.LoRALayer(400, 3, 16, 16, { init: 'peft' });
      const sizesOfA = (A.toFlatArray() as number[]).map(Math.abs);
      expect(A.shape).to.deep.equal([400, 16]);
      expect(Math.max(...sizesOfA)).to.be.within(0.0495, 0.05);
    });

    it('rsLoRA scales by alpha / √rank', () => {
      expect(new nn.LoRALayer(2, 2, 16, 8, { scaling: 'rslora' }).scaling).to.equal(2);
      expect(new nn.LoRALayer(2, 2, 16, 8).scaling).to.equal(0.5);
    });

    it('dropout is on the path of the update alone, and only while training', () => {
      manualSeed(3);
      const layer = new nn.LinearWithLoRA(new nn.Linear(200, 3), 2, 2, { dropout: 0.5 });
      const x = randn(1, 200);
      expectTensor(layer.forward(x), layer.linear.forward(x)); // B is 0
      noGrad(() => layer.lora.B.copyInPlace(randn(2, 3)));
      const apart = layer.linear.forward(x).add(x.matmul(layer.lora.A).matmul(layer.lora.B)).detach();
      expect(layer.forward(x).sub(apart).abs().amax().item()).to.be.above(0.01);
      expectTensor(layer.eval().forward(x).detach(), apart, 1e-6);
    });

    it('are held to what they can be', () => {
      const layer = (options: object) => () => new nn.LoRALayer(2, 2, 1, 1, options);
      expect(layer({ init: 'gaussian' })).to.throw(UserError, "init is 'book' or 'peft', not 'gaussian'");
      expect(layer({ scaling: 'r' })).to.throw(UserError, "scaling is 'alpha/r' or 'rslora', not 'r'");
      expect(layer({ dropout: 2 })).to.throw(UserError, 'the rate is a finite number from 0 to 1');
      expect(layer({ drop_out: 0 })).to.throw(UserError, 'did you mean dropout?');
    });
  });

  describe('several adapters', () => {
    /** Two adapters: `default` on every Linear, `b` on the head alone. */
    function two(): Toy {
      const toy = trained(3);
      nn.replaceLinearWithLoRA(toy, { rank: 1, alpha: 3, name: 'b', targets: ['head'] });
      layersOf(toy)[2].lora.B.copyInPlace(randn(1, 2));
      return toy;
    }

    it('are switched by name; the base and the others stay as they are bit for bit', () => {
      const toy = two();
      const base = new Toy();
      nn.setAdapter(toy, null);
      expect(Object.keys(toy.stateDict()).filter((key) => key.includes('lora'))).to.deep.equal([]);
      const weights = layersOf(toy).map((layer) => bits(layer.weight));
      const plain = toy.forward(IDS).detach();
      expect(plain.shape).to.deep.equal(base.forward(IDS).shape);
      const answers = new Map<string | null, string>([[null, bits(plain)]]);
      for (const name of ['default', 'b']) {
        nn.setAdapter(toy, name);
        answers.set(name, bits(toy.forward(IDS).detach()));
      }
      expect(new Set(answers.values()).size).to.equal(3);
      for (let i = 0; i < 20; i++) {
        const name = [null, 'default', 'b'][(i * 7) % 3];
        nn.setAdapter(toy, name);
        expect(bits(toy.forward(IDS).detach()), `${name}`).to.equal(answers.get(name));
      }
      expect(layersOf(toy).map((layer) => bits(layer.weight))).to.deep.equal(weights);
    });

    it('train and are saved one at a time', () => {
      const toy = two();
      const trainable = () => sizes(toy.parameters().filter((p) => p.requiresGrad));
      expect(trainable()).to.equal(1 * (6 + 2)); // b
      nn.setAdapter(toy, 'default');
      expect(trainable()).to.equal(2 * (6 + 8 + 8 + 6 + 6 + 2));
      nn.setAdapter(toy, null);
      expect(trainable()).to.equal(0);
      expect(() => layersOf(toy)[0].lora).to.throw(UserError, 'no adapter is active');
    });

    it('says which there are', () => {
      expect(() => nn.setAdapter(two(), 'c')).to.throw(UserError, 'no adapter c; the model has default, b');
      expect(() => nn.setAdapter(new Toy(), 'c')).to.throw(UserError, 'the model has none');
    });
  });

  describe('while merged', () => {
    it('the state is neither given nor taken, and the adapter not changed', () => {
      const toy = trained(2);
      const state = toy.stateDict();
      nn.mergeLoRA(toy);
      expect(() => toy.stateDict()).to.throw(UserError, 'call nn.unmergeLoRA(model) first');
      expect(() => toy.loadStateDict(state)).to.throw(UserError, 'while the update is merged');
      expect(() => nn.setAdapter(toy, null)).to.throw(UserError, 'cannot change the adapter');
      nn.unmergeLoRA(toy);
      expect(Object.keys(toy.stateDict())).to.deep.equal(Object.keys(state));
    });
  });
});
