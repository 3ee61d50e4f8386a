import { expect } from 'chai';
import { directions } from '../../../chapters/appendixE/singular-values.ts';
import { manualSeed, randn, type Tensor } from '../../../lib/index.ts';

const [inDim, rank, outDim] = [12, 4, 9];

function lowRank(seed: number) {
  manualSeed(seed);
  const [A, B] = [randn(inDim, rank), randn(rank, outDim)];
  return { A, B, flat: { A: flat(A), B: flat(B), inDim, rank, outDim } };
}

const flat = (matrix: Tensor) => Float32Array.from(matrix.toFlatArray() as number[]);

describe('the singular values of AB', () => {
  it('have the sums of squares of AB, and all directions make AB again', () => {
    for (const seed of [1, 2, 3]) {
      const { A, B, flat: factors } = lowRank(seed);
      const product = flat(A.matmul(B));
      const found = directions(factors);
      const squares = found.values.reduce((sum, value) => sum + value * value, 0);
      expect(squares).to.be.closeTo(
        product.reduce((sum, value) => sum + value * value, 0),
        1e-3,
      );
      const again = multiply(found.keep(rank));
      for (const [i, value] of product.entries()) expect(again[i]).to.be.closeTo(value, 1e-4);
    }
  });

  it('are what is lost when directions are left out', () => {
    const { flat: factors } = lowRank(4);
    const { values, keep } = directions(factors);
    const [all, two] = [multiply(keep(rank)), multiply(keep(2))];
    const lost = all.reduce((sum, value, i) => sum + (value - two[i]) ** 2, 0);
    expect(lost).to.be.closeTo(values[2] ** 2 + values[3] ** 2, 1e-3);
  });

  it('are zero for B = 0, and for directions that are there twice', () => {
    const { flat: factors } = lowRank(5);
    expect(directions({ ...factors, B: new Float32Array(rank * outDim) }).values).to.deep.equal([0, 0, 0, 0]);
    factors.B.copyWithin(outDim, 0, outDim);
    expect(directions(factors).values[3]).to.be.closeTo(0, 1e-6);
  });
});

function multiply({ A, B }: { A: Float32Array; B: Float32Array }): number[] {
  return Array.from({ length: inDim * outDim }, (_, at) => {
    const [i, j] = [Math.floor(at / outDim), at % outDim];
    let sum = 0;
    for (let k = 0; k < rank; k++) sum += A[i * rank + k] * B[k * outDim + j];
    return sum;
  });
}
