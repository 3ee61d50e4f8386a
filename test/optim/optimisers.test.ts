import { expect } from 'chai';
import { nn, ones, optim, tensor, UserError, useBackend } from '../../lib/index.ts';
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
    before(() => useBackend(backend));
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
      const { weight_decay: weightDecay, ...rest } = options;
      it(`SGD ${JSON.stringify(options)}, over ten steps`, () => {
        const params = start();
        const frozen = new nn.Parameter(ones(2), false);
        expectSteps(params, new optim.SGD([...params, frozen], { ...rest, weightDecay }), steps);
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
  const kinds: [string, (params: nn.Parameter[]) => optim.Optimizer][] = [
    ['AdamW', (params) => new optim.AdamW(params)],
    ['SGD with momentum', (params) => new optim.SGD(params, { lr: 0.1, momentum: 0.9 })],
  ];
  for (const [name, make] of kinds) {
    it(`${name} refuses the state of another list of parameters, and names the keys`, () => {
      const stepped = (params: nn.Parameter[]) => {
        const optimizer = make(params);
        setGradients(params, 0);
        optimizer.step();
        return optimizer.stateDict();
      };
      const state = stepped(start());
      const slot = name === 'AdamW' ? 'm' : 'direction';
      const load = (params: nn.Parameter[], given: typeof state) => () => make(params).loadStateDict(given);
      load(start(), state)();
      load(start(), make(start()).stateDict())(); // before the first step: nothing to remember, yet a state
      expect(load(start(), {})).to.throw(UserError, 'missing keys: 0.step, 1.step, 2.step and 1 more');
      expect(load(start().slice(1), state)).to.throw(UserError, `0.${slot} is [3, 2], parameter 0 [4]`);
      expect(load(start().slice(0, 3), state)).to.throw(UserError, 'unexpected keys: 3.step');
      expect(load([...start(), ...start()], state)).to.throw(UserError, 'missing keys: 4.step');
      expect(load(start(), { ...state, nonsense: ones(1) })).to.throw(UserError, 'unexpected keys: nonsense');
      expect(load(start(), { ...state, '0.step': ones(2) })).to.throw(UserError, '0.step is not a count');
      const whole = { ...state, [`0.${slot}`]: state[`0.${slot}`].int() };
      expect(load(start(), whole)).to.throw(UserError, `0.${slot} is int32, parameter 0 float32`);
      const { [`0.${slot}`]: _, ...part } = state;
      expect(load(start(), part)).to.throw(UserError, `missing keys: 0.${slot}`);
    });

    it(`${name} changes nothing when it refuses`, () => {
      const [params, other] = [start(), start()];
      const optimizer = make(params);
      setGradients(params, 0);
      optimizer.step();
      const before = Object.entries(optimizer.stateDict()).map(([key, t]) => [key, t.toArray()]);
      expect(() => optimizer.loadStateDict(make(other.slice(1)).stateDict())).to.throw(UserError);
      expect(Object.entries(optimizer.stateDict()).map(([key, t]) => [key, t.toArray()])).to.deep.equal(
        before,
      );
    });
  }

  it('refuse options out of their range, and options that they do not have', () => {
    const adamW = (options: object) => () => new optim.AdamW(start(), options);
    expect(adamW({ betas: [1, 0.9] })).to.throw(UserError, 'betas are two numbers');
    expect(adamW({ betas: [0.9, -0.1] })).to.throw(UserError, 'betas are two numbers');
    expect(adamW({ eps: -1e-8 })).to.throw(UserError, 'eps is a finite number of at least 0, not -1e-8');
    expect(adamW({ weightDecay: -1 })).to.throw(
      UserError,
      'weightDecay is a finite number of at least 0, not -1',
    );
    expect(adamW({ lr: Number.POSITIVE_INFINITY })).to.throw(
      UserError,
      'the learning rate (lr) is a finite number of at least 0, not Infinity',
    );
    expect(adamW({ weight_decay: 0.1 })).to.throw(UserError, 'did you mean weightDecay?');
    const sgd = (options: object) => () => new optim.SGD(start(), options as optim.SGDOptions);
    expect(sgd({})).to.throw(UserError, 'SGD: a learning rate is needed');
    expect(sgd({ lr: 1, nesterov: true })).to.throw(UserError, 'there is no option nesterov');
    expect(sgd({ lr: 1, momentum: -0.1 })).to.throw(
      UserError,
      'momentum is a finite number of at least 0, not -0.1',
    );
    const [one] = start();
    expect(() => new optim.SGD([one, one], { lr: 1 })).to.throw(UserError, 'given twice');
  });

  it('clipGradNorm treats NaN and infinite gradients as PyTorch, or refuses them', () => {
    const withGradients = (...values: number[]) => {
      const params = values.map(() => new nn.Parameter(ones(1)));
      params.forEach((p, i) => void (p.grad = tensor([values[i]])));
      return params;
    };
    const gradients = (params: nn.Parameter[]) => params.map((p) => p.grad!.item());
    const nan = withGradients(1, Number.NaN);
    expect(optim.clipGradNorm(nan, 1)).to.be.NaN;
    expect(gradients(nan)).to.deep.equal([Number.NaN, Number.NaN]);
    const infinite = withGradients(1, Number.POSITIVE_INFINITY);
    expect(optim.clipGradNorm(infinite, 1)).to.equal(Number.POSITIVE_INFINITY);
    expect(gradients(infinite)).to.deep.equal([0, Number.NaN]);
    const refused = withGradients(1, Number.NaN);
    expect(() => optim.clipGradNorm(refused, 1, { errorIfNonfinite: true })).to.throw(UserError, 'is NaN');
    expect(gradients(refused)).to.deep.equal([1, Number.NaN]);
    expect(() => optim.clipGradNorm(refused, -1)).to.throw(UserError, 'a norm of at least 0');
    expect(optim.clipGradNorm([new nn.Parameter(ones(1))], 1)).to.equal(0);
  });

  it('forget gradients with zeroGrad', () => {
    const params = start();
    setGradients(params, 2);
    new optim.SGD(params, { lr: 1 }).zeroGrad();
    expect(params.every((p) => p.grad === null)).to.equal(true);
  });

  it('refuse parameters and gradients that are not float32, or of another shape', () => {
    const whole = () => new optim.AdamW([tensor([1, 2], { dtype: 'int32' }) as nn.Parameter]);
    expect(whole).to.throw(UserError, 'parameters are float32 leaves, not int32 [2]');
    const result = ones(2).requiresGrad_().mul(2) as nn.Parameter;
    expect(() => new optim.SGD([result], { lr: 1 })).to.throw(UserError, 'not the result of an operation');
    expect(() => new optim.SGD(ones(2) as never, { lr: 1 })).to.throw(UserError, 'not a tensor');
    const parameter = new nn.Parameter(ones(2));
    for (const optimiser of [new optim.AdamW([parameter]), new optim.SGD([parameter], { lr: 1 })]) {
      for (const grad of [ones(3), tensor([1, 2], { dtype: 'int32' })]) {
        parameter.grad = grad;
        expect(() => optimiser.step()).to.throw(UserError, 'a gradient of float32 [2] is expected');
        expect(() => optim.clipGradNorm([parameter], 1)).to.throw(UserError, 'a gradient of float32 [2]');
      }
    }
    expect(parameter.toArray()).to.deep.equal([1, 1]);
  });

  it('refuse a learning rate that is none, at any time', () => {
    const optimiser = new optim.SGD(start(), { lr: 1 });
    for (const lr of [Number.NaN, -1, Infinity, '0.1']) {
      expect(() => Object.assign(optimiser, { lr })).to.throw(UserError, 'the learning rate (lr)');
    }
    expect(optimiser.lr).to.equal(1);
  });

  it('refuse what cannot be trained', () => {
    expect(() => new optim.AdamW([])).to.throw('optim: there is no parameter to train');
    expect(() => new optim.SGD(start(), { lr: -1 })).to.throw(
      'the learning rate (lr) is a finite number of at least 0, not -1',
    );
    expect(() => new optim.SGD(start(), { lr: Number.NaN })).to.throw('not NaN');
  });
});
