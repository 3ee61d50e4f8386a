import { expect } from 'chai';
import { nn, ones, optim, tensor, useBackend } from '../../lib/index.ts';
import { expectClose } from '../support/close.ts';
import { floatsFromHex, loadFixture } from '../support/fixtures.ts';

const fixture = loadFixture('optim');

function start(): nn.Parameter[] {
  return fixture.start.map(
    ({ shape, floats }: { shape: number[]; floats: string }) =>
      new nn.Parameter(tensor(floatsFromHex(floats)).reshape(shape)),
  );
}

function setGradients(params: nn.Parameter[], step: number): void {
  for (const [i, parameter] of params.entries()) {
    const hex: string | null = fixture.gradients[step][i];
    parameter.grad = hex === null ? null : tensor(floatsFromHex(hex)).reshape(parameter.shape);
  }
}

/** Every parameter after every step. Roundings add up over the steps; the largest updates are of size 10⁴ · lr. */
function expectSteps(
  params: nn.Parameter[],
  optimizer: optim.Optimizer,
  steps: string[][],
  after: (step: number) => void = () => undefined,
): void {
  for (const [step, wanted] of steps.entries()) {
    setGradients(params, step);
    optimizer.step();
    for (const [i, parameter] of params.entries()) {
      expectClose(parameter.toFlatArray(), floatsFromHex(wanted[i]), 3e-6, `step ${step}, parameter ${i}`);
    }
    after(step);
  }
}

for (const backend of ['js', 'wasm'] as const) {
  describe(`optimisers against PyTorch on ${backend}`, () => {
    before(async function () {
      if ((await useBackend(backend)).name !== backend) this.skip();
    });
    after(() => useBackend('js'));

    for (const { options, steps } of fixture.adamW) {
      const { weight_decay: weightDecay, ...rest } = options;
      it(`AdamW ${JSON.stringify(options)}, over ten steps`, () => {
        const params = start();
        const frozen = new nn.Parameter(ones(2), false);
        const unused = new nn.Parameter(ones(2));
        const all = [...params, frozen, unused];
        expectSteps(params, new optim.AdamW(all, { ...rest, weightDecay }), steps);
        // Not even decayed.
        expect([frozen.toArray(), unused.toArray()]).to.deep.equal([
          [1, 1],
          [1, 1],
        ]);
      });
    }

    for (const { options, steps } of fixture.sgd) {
      it(`SGD ${JSON.stringify(options)}, over ten steps`, () => {
        const params = start();
        const frozen = new nn.Parameter(ones(2), false);
        expectSteps(params, new optim.SGD([...params, frozen], options), steps);
        expect(frozen.toArray()).to.deep.equal([1, 1]);
      });
    }

    it('AdamW goes on where its saved state was', () => {
      const { options, steps } = fixture.adamW[0];
      const params = start();
      const first = new optim.AdamW(params, options);
      expectSteps(params, first, steps.slice(0, 5));
      const second = new optim.AdamW(params, options);
      second.loadStateDict(first.stateDict());
      for (let step = 5; step < 10; step++) {
        setGradients(params, step);
        second.step();
      }
      for (const [i, parameter] of params.entries()) {
        expectClose(parameter.toFlatArray(), floatsFromHex(steps[9][i]), 1e-6, `parameter ${i}`);
      }
      const other = new optim.AdamW([new nn.Parameter(ones(7))]);
      expect(() => other.loadStateDict(first.stateDict())).to.throw(
        "the optimiser's state does not fit: parameter 0 is [7]",
      );
    });

    it('a learning rate changed between steps takes effect', () => {
      const [parameter] = start();
      const optimizer = new optim.SGD([parameter], { lr: 1 });
      parameter.copyInPlace(ones(3, 2));
      parameter.grad = ones(3, 2);
      optimizer.lr = 0.25;
      optimizer.step();
      expect(parameter.toFlatArray()).to.deep.equal(new Array(6).fill(0.75));
    });

    for (const { maxNorm, norm, gradients } of fixture.clipped) {
      it(`clipGradNorm to ${maxNorm}`, () => {
        const params = start();
        setGradients(params, 0);
        params[0].grad = null;
        expect(optim.clipGradNorm(params, maxNorm)).to.be.closeTo(norm, 1e-6 * norm);
        for (const [i, parameter] of params.entries()) {
          if (gradients[i] === null) expect(parameter.grad).to.equal(null);
          else expectClose(parameter.grad!.toFlatArray(), floatsFromHex(gradients[i]), 1e-6, `gradient ${i}`);
        }
      });
    }
  });
}

describe('optimisers', () => {
  it('forget gradients with zeroGrad', () => {
    const params = start();
    setGradients(params, 2);
    new optim.SGD(params, { lr: 1 }).zeroGrad();
    expect(params.every((p) => p.grad === null)).to.equal(true);
  });

  it('refuse what cannot be trained', () => {
    expect(() => new optim.AdamW([])).to.throw('optim: there is no parameter to train');
    expect(() => new optim.SGD(start(), { lr: -1 })).to.throw('a learning rate of -1');
    expect(() => new optim.SGD(start(), { lr: Number.NaN })).to.throw('a learning rate of NaN');
  });
});
