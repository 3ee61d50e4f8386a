import { arange, cat, F, manualSeed, noGrad, randn, type Tensor, tensor, zeros } from '../../../lib/index.ts';
import type { Notebook } from '../../common/notebook.ts';
import { plotCurves } from '../../common/plot.ts';

/**
 * Rotary position embedding, RoPE (Su et al. 2021, https://arxiv.org/abs/2104.09864, section 3.4.2). GPT-2 adds a learnt
 * vector for each position to the token's. Llama adds nothing: it turns queries and keys. The d numbers of a head are
 * taken as d/2 points in the plane, and the i-th point of the token at position p is turned by the angle p · ωᵢ:
 *
 *          y │   ● turned by p·ωᵢ            ωᵢ = base^(−2i/d)
 *            │  ╱
 *            │ ╱  ⟍                           i = 0: 1 radian a position, the fastest hand of the clock
 *            │╱ p·ωᵢ ● (xᵢ, xᵢ₊d/2)           i = d/2 − 1: nearly base positions for a radian, the slowest
 *            └────────────── x
 *
 * A query at p and a key at q, turned by p·ω and q·ω, have the product that they would have if only one of them were
 * turned by (p − q)·ω. So attention sees how far apart two tokens are, and not where they stand.
 */
export interface Rotations {
  /** cos(p · ωᵢ): [context, d/2]. */
  cos: Tensor;
  /** sin(p · ωᵢ) likewise. */
  sin: Tensor;
}

/**
 * The angles of the first `length` positions, for heads of `headDim` numbers, d.
 * @param factors d/2 numbers by which the frequencies are divided, where a model asks for that (`slowedDown`)
 */
export function rotations(
  headDim: number,
  length: number,
  base: number,
  factors?: readonly number[],
): Rotations {
  return noGrad(() => {
    let frequencies = arange(0, headDim, 2).float().div(headDim).mul(-Math.log(base)).exp(); // ω [d/2]
    if (factors) frequencies = frequencies.div(tensor(factors));
    const angles = arange(length).float().unsqueeze(1).mul(frequencies); // [length, 1] · [d/2] → [length, d/2]
    return { cos: angles.cos(), sin: angles.sin() };
  });
}

/** The rotations of a model's blocks: made when they are needed, with as many again, since most texts are short. */
export class RotationTable {
  readonly #make: (length: number) => Rotations;
  #made: Rotations | undefined;

  /** @param contextLength the most positions that there are */
  constructor(headDim: number, contextLength: number, base: number, factors?: readonly number[]) {
    this.#make = (length) => rotations(headDim, Math.min(contextLength, length), base, factors);
  }

  /** Those of the first positions, at least `tokens` of them. */
  upTo(tokens: number): Rotations {
    if (!this.#made || this.#made.cos.shape[0] < tokens) {
      const { cos, sin } = this.#make(2 * tokens);
      // A tidy around the model gives back what is computed, and not what is written in place.
      const kept = (x: Tensor) => zeros(...x.shape).copyInPlace(x);
      this.#made = noGrad(() => ({ cos: kept(cos), sin: kept(sin) }));
    }
    return this.#made;
  }
}

/** How Llama 3.1 and later slow the rotations down, under the names of their configurations. */
export interface SlowingDown {
  factor: number;
  lowFreqFactor: number;
  highFreqFactor: number;
  /** The positions that the model was first trained on. */
  originalContextLength: number;
}

/**
 * Llama 3.1 was trained on 8,192 positions and then taught to read 131,072. Hands that go round many times in the first
 * text tell neighbours apart and stay as they are; those that never got round once are slowed down by the whole factor, so
 * that no angle comes that was not seen before; those between are slowed down by something between.
 * (https://github.com/meta-llama/llama-models, models/llama3/model.py, apply_scaling)
 *
 * @returns what each of the d/2 frequencies is divided by
 */
export function slowedDown(headDim: number, base: number, slowing: SlowingDown): number[] {
  const { factor, lowFreqFactor: low, highFreqFactor: high, originalContextLength } = slowing;
  return Array.from({ length: headDim / 2 }, (_, i) => {
    const rounds = originalContextLength / (2 * Math.PI * base ** ((2 * i) / headDim));
    if (rounds > high) return 1;
    if (rounds < low) return factor;
    const share = (rounds - low) / (high - low); // 0 at `low`, 1 at `high`
    return 1 / ((1 - share) / factor + share);
  });
}

/**
 * Turns x [b, h, t, d], whose first token stands at position `start`.
 *
 * Two numbers that belong together stand d/2 apart here, as in Hugging Face's layout ("rotate half"). In llama.cpp's files
 * they are neighbours: see `unpermuteRows` in models/read.ts.
 */
export function rotateByHand(x: Tensor, turns: Rotations, start = 0): Tensor {
  const { cos, sin } = anglesOf(x, turns, start); // [t, d/2]
  const [first, second] = x.chunk(2, 3); // the points' x and y, [b, h, t, d/2]
  return cat([first.mul(cos).sub(second.mul(sin)), second.mul(cos).add(first.mul(sin))], 3); // [b, h, t, d]
}

/** The same in one pass. */
export function rotate(x: Tensor, turns: Rotations, start = 0): Tensor {
  const { cos, sin } = anglesOf(x, turns, start);
  return F.rotaryEmbedding(x, cos, sin); // [b, h, t, d]
}

/** The angles of the tokens of x [b, h, t, d], each [t, d/2]. */
function anglesOf(x: Tensor, { cos, sin }: Rotations, start: number): Rotations {
  const tokens = x.shape[2];
  return { cos: cos.narrow(0, start, tokens), sin: sin.narrow(0, start, tokens) };
}

/** A query and the same key at several distances, wherever the two stand; and how fast each of the hands turns. */
export async function showRotations(nb: Notebook, plotPath: string): Promise<void> {
  manualSeed(123);
  const [query, key] = [randn(1, 1, 1, 64), randn(1, 1, 1, 64)]; // [b, h, t, d]
  const turns = rotations(64, 512, 100_000);
  const score = (at: number, keyAt: number) =>
    rotate(query, turns, at)
      .mul(rotate(key, turns, keyAt))
      .sum()
      .item()
      .toFixed(4);
  nb.note(
    `query at 3 and key at 1: ${score(3, 1)}; at 103 and 101: ${score(103, 101)}; at 403 and 401: ${score(403, 401)}`,
  );
  nb.note(`query at 9 and key at 1: ${score(9, 1)}: another distance, another score`);
  const cosines = [0, 4, 8, 16].map((i) => ({
    name: `point ${i}`,
    points: Array.from({ length: 65 }, (_, position) => ({
      x: position,
      y: turns.cos.select(0, position).select(0, i).item(),
    })),
  }));
  await plotCurves(plotPath, cosines, {
    title: 'How far a point has been turned (SmolLM2, heads of 64)',
    x: 'position of the token',
    y: 'cosine of the angle',
  });
  nb.note(`Plot: ${plotPath}`);
}
