/**
 * The Mersenne Twister MT19937 of Matsumoto and Nishimura (1998), the engine behind both
 * `torch.manual_seed` on a CPU and numpy's `RandomState`. Everything else in this folder is arithmetic on
 * the 32-bit words it returns.
 */

const N = 624;
const M = 397;
const UPPER_MASK = 0x80000000;
const LOWER_MASK = 0x7fffffff;
const MATRIX_A = 0x9908b0df;

/** Everything needed to continue a stream: the 624 words and how many of them are used up. */
export interface Mt19937State {
  words: Uint32Array;
  position: number;
}

/** The engine: a stream of 32-bit words that its seed determines. */
export class Mt19937 {
  private readonly words = new Uint32Array(N);
  private position = N;

  /** @param seed its low 32 bits are used, as torch and numpy do */
  constructor(seed: number) {
    this.seed(seed);
  }

  /** `init_genrand` of the reference implementation. */
  seed(seed: number): void {
    const words = this.words;
    words[0] = seed;
    for (let i = 1; i < N; i++) {
      const previous = words[i - 1] ^ (words[i - 1] >>> 30);
      words[i] = Math.imul(1812433253, previous) + i;
    }
    this.position = N;
  }

  /** The next word, 0 … 2³² − 1. */
  nextUint32(): number {
    if (this.position === N) this.twist();
    let y = this.words[this.position++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    y ^= y >>> 18;
    return y >>> 0;
  }

  /** The next 64-bit word; the first of the two 32-bit draws is the high half, as in torch. */
  nextUint64(): bigint {
    const high = this.nextUint32();
    const low = this.nextUint32();
    return (BigInt(high) << 32n) | BigInt(low);
  }

  /** A double in [0, 1): the low 53 bits of a 64-bit word over 2⁵³, as torch's `uniform_real<double>`. */
  nextDouble(): number {
    const high = this.nextUint32();
    const low = this.nextUint32();
    return ((high & 0x1fffff) * 2 ** 32 + low) * 2 ** -53;
  }

  /** Where the stream stands, to go on from later. */
  getState(): Mt19937State {
    return { words: this.words.slice(), position: this.position };
  }

  /** Goes on from there. */
  setState(state: Mt19937State): void {
    this.words.set(state.words);
    this.position = state.position;
  }

  /** Replaces all 624 words at once; each new word mixes three old ones. */
  private twist(): void {
    const words = this.words;
    for (let i = 0; i < N; i++) {
      const y = (words[i] & UPPER_MASK) | (words[(i + 1) % N] & LOWER_MASK);
      words[i] = words[(i + M) % N] ^ (y >>> 1) ^ (y & 1 ? MATRIX_A : 0);
    }
    this.position = 0;
  }
}
