import type { nn } from '../../lib/index.ts';

/**
 * The singular values of an update, the largest first, without the update: those of scaling · A B with A [in, r] and
 * B [r, out] are the square roots of the eigenvalues of an r × r matrix,
 *
 *      Sᵀ (B Bᵀ) S    where   AᵀA = S Sᵀ,
 *
 * and the rest of the in · out numbers need not be looked at. In float64.
 */
export function singularValues({ A, B, rank, scaling }: nn.LoRALayer): number[] {
  const columns = transposed(A.toArray() as number[][]); // [r, in]
  const { values, vectors } = eigen(gram(columns)); // AᵀA [r, r]
  const S = vectors.map((row) => row.map((v, j) => v * Math.sqrt(Math.max(0, values[j])))); // [r, r]
  const product = multiply(multiply(transposed(S), gram(B.toArray() as number[][])), S); // [r, r]
  const most = Math.min(rank, A.shape[0], B.shape[1]);
  return eigen(product)
    .values.map((value) => Math.abs(scaling) * Math.sqrt(Math.max(0, value)))
    .sort((a, b) => b - a)
    .slice(0, most);
}

type Matrix = number[][];

function transposed(matrix: Matrix): Matrix {
  return matrix[0].map((_, j) => matrix.map((row) => row[j]));
}

function multiply(a: Matrix, b: Matrix): Matrix {
  const columns = transposed(b);
  return a.map((row) => columns.map((column) => dot(row, column)));
}

/** M Mᵀ. */
function gram(matrix: Matrix): Matrix {
  return matrix.map((a) => matrix.map((b) => dot(a, b)));
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * b[i], 0);
}

/**
 * Eigenvalues of a symmetric matrix, and its eigenvectors as columns, by Jacobi's method: each rotation makes one number
 * beside the diagonal zero, until all are.
 */
function eigen(symmetric: Matrix): { values: number[]; vectors: Matrix } {
  const n = symmetric.length;
  const m = symmetric.map((row) => [...row]);
  const vectors = m.map((_, i) => m.map((_, j) => (i === j ? 1 : 0)));
  const beside = () =>
    m.reduce((sum, row, i) => sum + row.reduce((s, v, j) => s + (i === j ? 0 : v * v), 0), 0);
  const all = m.flat().reduce((sum, value) => sum + value * value, 0);
  for (let sweep = 0; sweep < 30 && beside() > 1e-30 * all; sweep++) {
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) rotate(m, vectors, p, q);
  }
  return { values: m.map((row, i) => row[i]), vectors };
}

function rotate(m: Matrix, vectors: Matrix, p: number, q: number): void {
  if (m[p][q] === 0) return;
  const theta = (m[q][q] - m[p][p]) / (2 * m[p][q]);
  const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1));
  const c = 1 / Math.hypot(t, 1);
  const s = t * c;
  for (const row of [...m, ...vectors]) [row[p], row[q]] = [c * row[p] - s * row[q], s * row[p] + c * row[q]];
  const [above, below] = [m[p], m[q]];
  for (let j = 0; j < m.length; j++)
    [above[j], below[j]] = [c * above[j] - s * below[j], s * above[j] + c * below[j]];
}
