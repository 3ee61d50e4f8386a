/**
 * `torch.Generator` on a CPU: the same seed gives the numbers PyTorch gives, so that a chapter prints what
 * the notebook prints. The recipes are those of PyTorch's ATen (`DistributionsHelper.h`,
 * `TransformationHelper.h`, `DistributionTemplates.h`); docs/randomness.md describes them for readers.
 *
 * Typed arrays out, no tensors: lib/tensor gives them shapes.
 */

import { checkCount, checkNumber, checkSize, inWords, noMore } from '../arguments.ts';
import { UserError } from '../errors.ts';
import { Mt19937, type Mt19937State } from './mt19937.ts';
import { multinomialWithoutReplacement, multinomialWithReplacement } from './multinomial.ts';
import { fillNormalBlocks, normalPair } from './normal.ts';

const fround = Math.fround;

/** From this size on torch fills normals in blocks; below it draws them one by one. */
const NORMAL_BLOCK = 16;

/** Torch starts its default generator with this seed. */
const DEFAULT_SEED = 67280421310721n;

/** Where a generator is in its stream: plain data, to be kept and handed back. */
export interface GeneratorState {
  /** The 624 words of the Mersenne Twister, and which is next. */
  engine: Mt19937State;
  /** The second of two normals drawn together, if it waits. */
  cachedNormal: number | null;
}

/** A stream of random numbers: those of a torch.Generator on a CPU with the same seed. */
export class Generator {
  private readonly engine = new Mt19937(0);
  /** Box–Muller makes two normals; the scalar path keeps the second for its next call. */
  private cachedNormal: number | null = null;

  constructor(seed: number | bigint = DEFAULT_SEED) {
    this.manualSeed(seed);
  }

  /** Starts the stream again, as `torch.manual_seed`; like torch, only the low 32 bits of `seed` count. */
  manualSeed(seed: number | bigint): this {
    if (typeof seed !== 'bigint' && !Number.isSafeInteger(seed)) {
      throw new UserError(`manualSeed: ${inWords(seed)} is not a whole number; use one such as 123`);
    }
    this.engine.seed(Number(BigInt.asUintN(32, BigInt(seed))));
    this.cachedNormal = null;
    return this;
  }

  /** n numbers uniform in [0, 1), as `torch.rand(n)`: the low 24 bits of a word, all a float32 can hold. */
  uniform(n: number): Float32Array {
    const out = new Float32Array(checkSize(n, 'uniform'));
    for (let i = 0; i < n; i++) out[i] = this.nextUniform();
    return out;
  }

  /**
   * n numbers uniform in [low, high), as `tensor.uniform_(low, high)`. The bounds become float32 first;
   * x · (high − low) + low is rounded once, since PyTorch's compilers fuse it into one multiply-add. (The
   * product of two float32 is exact in the double it is computed in here.)
   */
  uniformRange(n: number, low: number, high: number): Float32Array {
    checkNumber(low, 'low', 'uniform');
    checkNumber(high, 'high', 'uniform');
    if (low > high)
      throw new UserError(`uniform: from ${low} to ${high} is empty; high must not be below low`);
    const from = fround(low);
    const range = fround(fround(high) - from);
    const out = new Float32Array(checkSize(n, 'uniform'));
    for (let i = 0; i < n; i++) out[i] = this.nextUniform() * range + from;
    return out;
  }

  /**
   * n normal numbers, as `torch.randn(n)`, or `tensor.normal_(mean, std)`. Torch has two paths: 16 or more
   * are made in blocks from float32 uniforms (normal.ts); fewer are drawn singly in double precision, with
   * the second of each pair kept for the next such call.
   */
  normal(n: number, mean = 0, std = 1): Float32Array {
    checkNumber(mean, 'the mean', 'normal');
    checkNumber(std, 'std', 'normal', 0);
    const out = new Float32Array(checkSize(n, 'normal'));
    if (n >= NORMAL_BLOCK) {
      fillNormalBlocks(out, () => this.nextUniform(), mean, std);
    } else {
      for (let i = 0; i < n; i++) out[i] = this.nextNormal() * std + mean;
    }
    return out;
  }

  /**
   * n whole numbers in [low, high), as `torch.randint(low, high, (n,))`: a word modulo the range, or two words from
   * 2²⁸ on, where the remainders of one would not be equally likely enough.
   */
  randint(n: number, low: number, high: number): Int32Array {
    for (const bound of [low, high]) {
      if (Number.isInteger(bound) && Math.abs(bound) <= 2 ** 31) continue;
      throw new UserError(`randint: a bound is a whole number that int32 holds, not ${inWords(bound)}`);
    }
    if (!(high > low))
      throw new UserError(`randint: from ${low} to ${high} is empty; high must be above low`);
    const range = high - low;
    const out = new Int32Array(checkSize(n, 'randint'));
    const draw =
      range < 2 ** 28
        ? () => this.engine.nextUint32() % range
        : () => Number(this.engine.nextUint64() % BigInt(range));
    for (let i = 0; i < n; i++) out[i] = draw() + low;
    return out;
  }

  /** A random order of 0 … n − 1, as `torch.randperm(n)`: Fisher–Yates from the front. */
  randperm(n: number): Int32Array {
    const order = Int32Array.from({ length: checkSize(n, 'randperm') }, (_, i) => i);
    for (let i = 0; i < n - 1; i++) {
      const j = i + (this.engine.nextUint32() % (n - i));
      const swapped = order[i];
      order[i] = order[j];
      order[j] = swapped;
    }
    return order;
  }

  /**
   * n numbers that are 1 with probability p and else 0, as `tensor.bernoulli_(p)`; a dropout layer calls it
   * with p = 1 − rate. This is PyTorch's own path, that of the printed notebooks; its builds with Intel's
   * MKL draw another stream here.
   */
  bernoulli(n: number, p: number): Float32Array {
    checkNumber(p, 'the probability', 'bernoulli', 0, 1);
    const out = new Float32Array(checkSize(n, 'bernoulli'));
    for (let i = 0; i < n; i++) out[i] = this.engine.nextDouble() < p ? 1 : 0;
    return out;
  }

  /** n exponentially distributed numbers of rate lambda, as `tensor.exponential_(lambda)`. */
  exponential(n: number, lambda = 1): Float32Array {
    if (!(checkNumber(lambda, 'the rate', 'exponential') > 0))
      throw new UserError(`exponential: a rate above 0 is expected, not ${lambda}`);
    const out = new Float32Array(checkSize(n, 'exponential'));
    for (let i = 0; i < n; i++) out[i] = (-1 / lambda) * Math.log1p(-this.engine.nextDouble());
    return out;
  }

  /**
   * Samples `numSamples` indices in proportion to `probs` (they need not sum to 1), as
   * `torch.multinomial` does for one row; several rows are drawn one after the other. Like torch, a single
   * sample takes the path without replacement.
   *
   * @throws UserError where torch refuses: negative or non-finite probabilities, a zero sum, or more
   * samples without replacement than there are entries
   */
  multinomial(probs: Float32Array, numSamples: number, replacement = false): Int32Array {
    checkCount(numSamples, 1, 'the number of samples', 'multinomial');
    return replacement && numSamples > 1
      ? multinomialWithReplacement(probs, numSamples, this)
      : multinomialWithoutReplacement(probs, numSamples, this);
  }

  /** A double uniform in [0, 1) from 53 bits. */
  nextDouble(): number {
    return this.engine.nextDouble();
  }

  /** What `torch.empty((), dtype=torch.int64).random_().item()` returns: the seeds DataLoader draws. */
  random64(): bigint {
    return BigInt.asUintN(63, this.engine.nextUint64());
  }

  /** A snapshot that `setState` continues from, as `torch.get_rng_state`. */
  getState(): GeneratorState {
    return { engine: this.engine.getState(), cachedNormal: this.cachedNormal };
  }

  /** Goes on from a snapshot of `getState`. */
  setState(state: GeneratorState): void {
    this.engine.setState(state.engine);
    this.cachedNormal = state.cachedNormal;
  }

  private nextUniform(): number {
    return (this.engine.nextUint32() & 0xffffff) * 2 ** -24;
  }

  private nextNormal(): number {
    if (this.cachedNormal !== null) {
      const cached = this.cachedNormal;
      this.cachedNormal = null;
      return cached;
    }
    const [first, second] = normalPair(this.engine.nextDouble(), this.engine.nextDouble());
    this.cachedNormal = second;
    return first;
  }
}

/** The generator used where none is named, as torch's. */
export const defaultGenerator = new Generator();

/** `torch.manual_seed`: seeds the default generator, and returns it. */
export function manualSeed(seed: number | bigint, ...more: []): Generator {
  noMore('manualSeed', 1, more);
  return defaultGenerator.manualSeed(seed);
}
