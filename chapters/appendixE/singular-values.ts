import type { nn } from '../../lib/index.ts';

/** The singular values and directions of AB, from the two thin matrices: ΔW itself, [in, out], is never made. */

/** Those of an update, scaling · A B, the largest first. */
export function singularValues({ A, B, rank, scaling }: nn.LoRALayer): number[] {
  const [inDim, outDim] = [A.shape[0], B.shape[1]];
  const numbers = (matrix: nn.Parameter) => Float32Array.from(matrix.toFlatArray() as number[]);
  const { values } = directions({ A: numbers(A), B: numbers(B), inDim, rank, outDim });
  return values.slice(0, Math.min(inDim, outDim)).map((value) => Math.abs(scaling) * value);
}

export interface LowRank {
  /** [in, r] and [r, out], row by row. */
  A: Float32Array;
  B: Float32Array;
  inDim: number;
  rank: number;
  outDim: number;
}

export interface Directions {
  /** The largest first. */
  values: number[];
  /** The best approximation to AB of rank k: its first k directions. */
  keep(k: number): { A: Float32Array; B: Float32Array };
}

/**
 * A = Qa Ra and Bᵀ = Qb Rb, so AB = Qa (Ra Rbᵀ) Qbᵀ: the small matrix [r, r] in the middle has the same singular values
 * (Golub and Van Loan, section 5.4). It is decomposed by one-sided Jacobi rotations.
 */
export function directions({ A, B, inDim, rank, outDim }: LowRank): Directions {
  const ofA = orthonormal(columnsOf(A, inDim, rank));
  const ofB = orthonormal(rowsOf(B, rank, outDim));
  // The middle's column j, in the basis of Qa: Ra · (row j of Rb)ᵀ
  const middle = ofB.upper[0].map((_, j) =>
    ofA.upper.map((row) => row.reduce((sum, value, i) => sum + value * ofB.upper[j][i], 0)),
  );
  const right = middle.map((_, j) => middle.map((_, i) => (i === j ? 1 : 0)));
  rotate(middle, right);
  const order = middle
    .map((column, i) => ({ value: Math.hypot(...column), i }))
    .sort((a, b) => b.value - a.value);
  return {
    values: order.map(({ value }) => value),
    keep(k) {
      const kept = { A: new Float32Array(A.length), B: new Float32Array(B.length) };
      order.slice(0, k).forEach(({ i }, at) => {
        // AB = Σ (Qa · column i of the middle) (Qb · column i of the rotations)ᵀ
        const left = combine(ofA.basis, middle[i]);
        for (let row = 0; row < inDim; row++) kept.A[row * rank + at] = left[row];
        kept.B.set(combine(ofB.basis, right[i]), at * outDim);
      });
      return kept;
    },
  };
}

const columnsOf = (matrix: Float32Array, rows: number, columns: number): number[][] =>
  Array.from({ length: columns }, (_, j) => Array.from({ length: rows }, (_, i) => matrix[i * columns + j]));

const rowsOf = (matrix: Float32Array, rows: number, columns: number): number[][] =>
  Array.from({ length: rows }, (_, i) => Array.from(matrix.subarray(i * columns, (i + 1) * columns)));

const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, value, i) => sum + value * b[i], 0);

function combine(basis: readonly number[][], weights: readonly number[]): number[] {
  const sum = new Array<number>(basis[0].length).fill(0);
  basis.forEach((vector, j) => {
    for (let i = 0; i < sum.length; i++) sum[i] += weights[j] * vector[i];
  });
  return sum;
}

/** Gram-Schmidt, twice over for the digits: vectors = basis · upper, column by column. */
function orthonormal(vectors: readonly number[][]): { basis: number[][]; upper: number[][] } {
  const upper = vectors.map(() => vectors.map(() => 0));
  const basis: number[][] = [];
  vectors.forEach((vector, j) => {
    const rest = [...vector];
    for (let pass = 0; pass < 2; pass++) {
      basis.forEach((direction, i) => {
        const share = dot(direction, rest);
        upper[i][j] += share;
        for (let k = 0; k < rest.length; k++) rest[k] -= share * direction[k];
      });
    }
    const length = Math.hypot(...rest);
    upper[j][j] = length;
    basis.push(rest.map((value) => (length > 0 ? value / length : 0)));
  });
  return { basis, upper };
}

/** Rotates pairs of columns until all are at right angles, and the columns of `other` with them. */
function rotate(columns: number[][], other: number[][]): void {
  for (let sweep = 0; sweep < 30; sweep++) {
    let largest = 0;
    for (let p = 0; p < columns.length; p++) {
      for (let q = p + 1; q < columns.length; q++) {
        const [alpha, beta] = [dot(columns[p], columns[p]), dot(columns[q], columns[q])];
        const gamma = dot(columns[p], columns[q]);
        const size = Math.sqrt(alpha * beta);
        if (size === 0 || Math.abs(gamma) <= 1e-14 * size) continue;
        largest = Math.max(largest, Math.abs(gamma) / size);
        const zeta = (beta - alpha) / (2 * gamma);
        const tangent = Math.sign(zeta || 1) / (Math.abs(zeta) + Math.hypot(1, zeta));
        const cosine = 1 / Math.hypot(1, tangent);
        for (const [a, b] of [
          [columns[p], columns[q]],
          [other[p], other[q]],
        ]) {
          for (let i = 0; i < a.length; i++) {
            const x = a[i];
            a[i] = cosine * (x - tangent * b[i]);
            b[i] = cosine * (tangent * x + b[i]);
          }
        }
      }
    }
    if (largest < 1e-12) return;
  }
}
