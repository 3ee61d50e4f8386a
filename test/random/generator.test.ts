import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { Generator, manualSeed } from '../../lib/random/index.ts';

// Written by test/fixtures/random_draws.py; float32 values as the hexadecimal of their bits.
const fixture = JSON.parse(readFileSync(new URL('../fixtures/random.json', import.meta.url), 'utf8'));

function fromHex(hex: string): Float32Array {
  const bytes = Uint8Array.from(Buffer.from(hex, 'hex'));
  return new Float32Array(bytes.buffer);
}

/** Float draws that go through a logarithm or cosine may differ from C's by a rounding; all others not. */
function expectFloats(actual: ArrayLike<number>, expected: Float32Array, tolerance: number, what: string) {
  expect(actual.length, what).to.equal(expected.length);
  for (let i = 0; i < expected.length; i++) {
    const scale = Math.max(1, Math.abs(expected[i]));
    expect(Math.abs(actual[i] - expected[i]) / scale, `${what}[${i}]`).to.be.at.most(tolerance);
  }
}

const TOLERANCE: Record<string, number> = { normal: 2.5e-7, exponential: 1.2e-7 };

function draw(generator: Generator, method: string, args: number[]): ArrayLike<number> {
  return (generator[method as 'uniform'] as (...a: number[]) => Float32Array).apply(
    generator,
    args as [number],
  );
}

describe('Generator against PyTorch', () => {
  for (const row of fixture.cases) {
    it(`${row.method}(${row.args.join(', ')}) after manualSeed(${row.seed})`, () => {
      const generator = new Generator(row.seed);
      const actual = draw(generator, row.method, row.args);
      if (row.ints) expect([...Array.from(actual)]).to.deep.equal(row.ints);
      else expectFloats(actual, fromHex(row.floats), TOLERANCE[row.method] ?? 0, row.method);
      expect(generator.random64(), 'the stream after it').to.equal(BigInt(row.after));
    });
  }

  it('keeps the second normal of a pair across other draws', () => {
    const generator = new Generator(123);
    for (const [step, { method, n, floats }] of fixture.mixture.entries()) {
      const args = { bernoulli: [n, 0.5], randint: [n, 0, 10] }[method as string] ?? [n];
      const actual = draw(generator, method, args);
      expectFloats(actual, fromHex(floats), TOLERANCE[method] ?? 0, `step ${step}, ${method}`);
    }
  });

  it('draws two words for a wide range of whole numbers, as PyTorch 2.15 does', () => {
    const drawn = (low: number, high: number) => Array.from(new Generator(7).randint(2, low, high));
    expect(drawn(0, 2 ** 28 - 1)).to.deep.equal([59306160, 171107527]);
    expect(drawn(0, 2 ** 28)).to.deep.equal([171107524, 27798006]);
    expect(drawn(-(2 ** 31), 2 ** 31 - 1)).to.deep.equal([-843328141, -1722749936]);
  });

  it('forgets the kept normal when seeded again', () => {
    const generator = new Generator(1);
    generator.normal(3);
    generator.manualSeed(1);
    expectFloats(generator.normal(3), fromHex(fixture.reseeded), TOLERANCE.normal, 'reseeded');
  });

  it('multinomial, with and without replacement', () => {
    const probs = fromHex(fixture.multinomial.probs);
    for (const { samples, replacement, drawn } of fixture.multinomial.draws) {
      const generator = new Generator(123);
      const actual = drawn.map(() => Array.from(generator.multinomial(probs, samples, replacement)));
      expect(actual, `${samples} samples, replacement ${replacement}`).to.deep.equal(drawn);
    }
  });

  it('multinomial of several rows is the rows one after the other', () => {
    const { probs, drawn } = fixture.multinomial.rows;
    const rows = fromHex(probs);
    const generator = new Generator(6);
    const actual = drawn.map((_: number, i: number) =>
      generator.multinomial(rows.subarray(20 * i, 20 * i + 20), 1),
    );
    expect(actual.map((a: Int32Array) => a[0])).to.deep.equal(drawn);
  });
});

describe("Generator against the book's printed figures", () => {
  it('chapter 2: the first weights of Embedding(6, 3), seed 123', () => {
    const printed = [0.3374, -0.1778, -0.169, 0.9178, 1.581];
    const drawn = Array.from(manualSeed(123).normal(18).subarray(0, 5));
    expect(drawn.map((x) => Number(x.toFixed(4)))).to.deep.equal(printed);
  });

  it('chapter 3: the dropout mask at p = 0.5, seed 123', () => {
    const mask = manualSeed(123)
      .bernoulli(18, 0.5)
      .map((x) => x * 2);
    expect(Array.from(mask)).to.deep.equal([2, 2, 0, 2, 2, 0, 0, 0, 0, 2, 0, 2, 2, 2, 2, 2, 0, 2]);
  });

  it('chapter 5: the counts of 1,000 samples, seed 123', () => {
    const logits = [4.51, 0.89, -1.9, 6.75, 1.63, -1.62, -1.89, 6.28, 1.79];
    const exps = logits.map(Math.exp);
    const sum = exps.reduce((a, b) => a + b);
    const probs = Float32Array.from(exps, (e) => e / sum);
    const generator = manualSeed(123);
    const counts = new Array(9).fill(0);
    for (let i = 0; i < 1000; i++) counts[generator.multinomial(probs, 1)[0]]++;
    expect(counts).to.deep.equal([73, 0, 0, 582, 2, 0, 0, 343, 0]);
  });

  it('chapter 6: the first weights and the bias of the two-class head, seed 123', () => {
    const bound = 1 / Math.sqrt(768);
    const generator = manualSeed(123);
    const weight = generator.uniformRange(2 * 768, -bound, bound);
    const bias = generator.uniformRange(2, -bound, bound);
    const rounded = [...weight.subarray(0, 4), ...weight.subarray(768, 772), ...bias].map((x) =>
      x.toFixed(6),
    );
    expect(rounded).to.deep.equal([
      ...['-0.014714', '0.001195', '-0.017922', '0.013608'],
      ...['-0.019931', '-0.014098', '-0.014300', '0.020004'],
      ...['0.014035', '-0.018202'],
    ]);
  });
});

describe('Generator state and mistakes', () => {
  it('setState continues from where getState was taken, the kept normal included', () => {
    const generator = new Generator(5);
    generator.normal(3);
    const state = generator.getState();
    const first = Array.from(generator.normal(700));
    generator.manualSeed(9).normal(1);
    generator.setState(state);
    expect(Array.from(generator.normal(700))).to.deep.equal(first);
    generator.setState(state);
    const single = generator.normal(1)[0];
    const other = new Generator(0);
    other.setState(state);
    expect(other.normal(1)[0]).to.equal(single);
  });

  it('a state is a snapshot: later draws do not change it', () => {
    const generator = new Generator(5);
    const state = generator.getState();
    generator.uniform(2000);
    generator.setState(state);
    expect(generator.uniform(3)).to.deep.equal(new Generator(5).uniform(3));
  });

  it('refuses what torch refuses, in one line', () => {
    const generator = new Generator(1);
    const probs = Float32Array.of(0.5, 0.5);
    expect(() => generator.manualSeed(1.5)).to.throw('manualSeed: 1.5 is not a whole number');
    expect(() => generator.manualSeed('123' as never)).to.throw("manualSeed: '123' is not a whole number");
    expect(() => generator.uniform(-1)).to.throw('uniform: the number of elements is a whole number');
    expect(() => generator.normal(2.5)).to.throw('normal: the number of elements is a whole number');
    expect(() => generator.normal(2, 0, -1)).to.throw('std is a finite number of at least 0, not -1');
    expect(() => generator.uniformRange(2, 1, -1)).to.throw('uniform: from 1 to -1 is empty');
    expect(() => generator.randint(2, 0, 1.5)).to.throw(
      'a bound is a whole number that int32 holds, not 1.5',
    );
    expect(() => generator.randint(2, 0, 2 ** 32)).to.throw('that int32 holds');
    expect(() => generator.randperm(Number.NaN)).to.throw('randperm: the number of elements');
    expect(() => generator.exponential(2, 0)).to.throw('a rate above 0');
    expect(() => generator.multinomial(probs, 1.5)).to.throw('the number of samples');
    expect(() => generator.randint(2, 3, 3)).to.throw('randint: from 3 to 3 is empty');
    expect(() => generator.bernoulli(2, 1.5)).to.throw(
      'the probability is a finite number from 0 to 1, not 1.5',
    );
    expect(() => generator.multinomial(probs, 3)).to.throw(
      'cannot draw 3 samples without replacement from 2',
    );
    expect(() => generator.multinomial(Float32Array.of(0, 2, 0, 1), 3)).to.throw(
      'only 2 entries have a positive',
    );
    expect(Array.from(generator.multinomial(Float32Array.of(0, 2, 0, 1), 2)).sort()).to.deep.equal([1, 3]);
    expect(() => generator.multinomial(Float32Array.of(0, 0), 1)).to.throw('sum to 0');
    expect(() => generator.multinomial(Float32Array.of(Number.NaN, 1), 1)).to.throw(
      'NaN is not a probability',
    );
    expect(() => generator.multinomial(Float32Array.of(-1, 2), 2, true)).to.throw('-1 is not a probability');
  });
});
