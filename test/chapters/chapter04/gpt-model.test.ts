import { expect } from 'chai';
import { GPTModel } from '../../../chapters/chapter04/index.ts';
import { F, manualSeed, nn, optim, randint, type Tensor, useBackend } from '../../../lib/index.ts';
import { expectClose, expectTensor } from '../../support/close.ts';
import { decodeTensor, floatsFromHex, hexOfFloats, loadFixture } from '../../support/fixtures.ts';

/** Written by fixtures/gpt.py: a tiny GPT trained in PyTorch, whole and by LoRA. */
const fixture = loadFixture('gpt');

/** float32 sums taken in another order: the difference of one step, relative to numbers of size 1. */
const ROUNDING = 2e-6;
/** What five steps make of it; AdamW divides by √v, and so magnifies small gradients. */
const AFTER_STEPS = 2e-5;

type Floats = Record<string, string>;

function expectParameters(
  model: nn.Module,
  wanted: Floats,
  of: (p: nn.Parameter) => Tensor | null,
  what: string,
): void {
  const trainable = Array.from(model.namedParameters()).filter(([, p]) => p.requiresGrad);
  expect(trainable.map(([name]) => name)).to.deep.equal(Object.keys(wanted));
  for (const [name, parameter] of trainable) {
    const values = of(parameter)!.toFlatArray();
    expectClose(values, floatsFromHex(wanted[name]), ROUNDING, `${what} of ${name}`);
  }
}

/** The losses before each of the steps, held to PyTorch's; the gradients too, of the steps that have them. */
function expectTraining(
  model: nn.Module,
  loss: () => Tensor,
  wanted: { lr: number; losses: number[]; gradients: Record<number, Floats> },
): void {
  const trainable = model.parameters().filter((p) => p.requiresGrad);
  const optimizer = new optim.AdamW(trainable, { lr: wanted.lr, weightDecay: 0.1 });
  for (const [step, expected] of wanted.losses.entries()) {
    optimizer.zeroGrad();
    const value = loss();
    value.backward();
    const allowed = step === 0 ? ROUNDING : AFTER_STEPS;
    expectClose([value.item()], [expected], allowed, `loss of step ${step}`);
    const gradients = wanted.gradients[step];
    if (gradients && step === 0) expectParameters(model, gradients, (p) => p.grad, 'gradient');
    else if (gradients) {
      for (const [name, p] of model.namedParameters()) {
        if (!p.requiresGrad) continue;
        expectClose(
          p.grad!.toFlatArray(),
          floatsFromHex(gradients[name]),
          AFTER_STEPS,
          `gradient ${step} of ${name}`,
        );
      }
    }
    optimizer.step();
  }
}

/** Next-token prediction on the ids [b, t + 1]. */
const nextTokenLoss = (model: nn.Module, ids: Tensor) => () =>
  F.crossEntropy(model.forward(ids.slice(1, 0, -1)).flatten(0, 1), ids.slice(1, 1).flatten());

/** The logits after training for the last token of the first text, with dropout off. */
function expectLastLogits(model: nn.Module, ids: Tensor, wanted: string): void {
  const logits = model
    .eval()
    .forward(ids.slice(1, 0, -1)) // [b, t, vocab]
    .select(0, 0)
    .select(0, -1);
  expectClose(logits.toFlatArray(), floatsFromHex(wanted), AFTER_STEPS, 'logits after training');
}

for (const backend of ['js', 'wasm'] as const) {
  describe(`GPTModel against PyTorch on ${backend}`, () => {
    before(() => useBackend(backend));
    after(() => useBackend('js'));

    describe('trained whole', () => {
      const { config, seed, shapes, weights, ids, logits, evaluated } = fixture.full;
      let model: GPTModel;
      let drawn: Tensor;

      before(() => {
        manualSeed(seed);
        model = new GPTModel(config);
        drawn = randint(0, config.vocabSize, [3, config.contextLength - 1]);
      });

      it('has the same initial weights, under the same names', () => {
        const own = Array.from(model.namedParameters(), ([name, { shape }]) => [name, shape]);
        expect(Object.fromEntries(own)).to.deep.equal(shapes);
        expectParameters(model, weights, (p) => p, 'weight');
        expectTensor(drawn, decodeTensor(ids), 0, 'the ids drawn next');
      });

      it('gives the same logits', () => {
        expectTensor(model.forward(drawn.slice(1, 0, -1)).detach(), decodeTensor(logits), ROUNDING);
      });

      it('has the same loss, every gradient, and the losses of five AdamW steps', () => {
        expectTraining(model, nextTokenLoss(model, drawn), fixture.full);
        expectLastLogits(model, drawn, evaluated);
      });
    });

    it('with dropout and query, key and value biases: the same masks, losses and logits', () => {
      const { config, seed, shapes, ids, evaluated } = fixture.dropout;
      manualSeed(seed);
      const model = new GPTModel(config);
      expect(Object.fromEntries(Array.from(model.namedParameters(), ([n, p]) => [n, p.shape]))).to.deep.equal(
        shapes,
      );
      const drawn = randint(0, config.vocabSize, [3, config.contextLength - 1]);
      expectTensor(drawn, decodeTensor(ids));
      expectTraining(model, nextTokenLoss(model, drawn), fixture.dropout);
      expectLastLogits(model, drawn, evaluated);
    });

    it('by LoRA: the same A, losses, gradients of A and B, and no frozen weight moves', () => {
      const { config, seed, rank, alpha, ids, labels, weights, logits, keys, after } = fixture.lora;
      manualSeed(seed);
      const model = new GPTModel(config);
      model.outHead = new nn.Linear(config.embDim, 2);
      model.requiresGrad_(false);
      const drawn = randint(0, config.vocabSize, [4, config.contextLength]);
      expectTensor(drawn, decodeTensor(ids));
      const last = () => model.forward(drawn).index(null, -1); // [4, t, 2] → [4, 2]
      expectTensor(last(), decodeTensor(logits), ROUNDING, 'logits before wrapping');

      nn.replaceLinearWithLoRA(model, { rank, alpha });
      expect(Object.keys(model.stateDict())).to.deep.equal(keys);
      expectParameters(model, weights, (p) => p, 'weight');
      expectTensor(last().detach(), decodeTensor(logits), ROUNDING, 'logits after wrapping');

      const frozen = () =>
        Array.from(model.namedParameters())
          .filter(([, p]) => !p.requiresGrad)
          .map(([name, p]) => `${name} ${hexOfFloats(p.toFlatArray() as number[])}`);
      const before = frozen();
      expectTraining(model, () => F.crossEntropy(last(), decodeTensor(labels)), fixture.lora);
      expectTensor(last().detach(), decodeTensor(after), AFTER_STEPS, 'logits after training');
      expect(frozen()).to.deep.equal(before);

      nn.mergeLoRA(model);
      expectTensor(last().detach(), decodeTensor(after), AFTER_STEPS, 'logits after merging');
    });
  });
}
