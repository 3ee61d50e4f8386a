/**
 * Several Linears here that are one layer there: GPT-2's query, key and value are one `c_attn`, whose output is the three
 * outputs one after the other. Theirs has one A [R, in] for all and B [3d, R]; ours have an A and a B each.
 *
 *      ours → theirs, at R = 3r            A = A_q   B = B_q  0   0
 *                                              A_k        0  B_k  0
 *                                              A_v        0   0  B_v
 *
 *      theirs → ours, at any R             each part gets A and its own rows of B
 *
 * Both give exactly the same updates. What was made in the first way is taken apart again in the same places.
 */

import { noGrad } from '../../tensor/autograd.ts';
import { zeros } from '../../tensor/create.ts';
import { cat } from '../../tensor/ops/indexing.ts';
import type { Tensor } from '../../tensor/tensor.ts';

/** One Linear's update in PEFT's layout: A [r, in], B [out, r]. */
export interface Factors {
  A: Tensor;
  B: Tensor;
  rank: number;
  alpha: number;
}

/** Theirs in parts of the given numbers of outputs; a part that is never touched beside one that is gets null. */
export function splitFused(
  A: Tensor,
  B: Tensor,
  outDims: readonly number[],
  alpha: number,
  rankStabilised: boolean,
): (Factors | null)[] {
  return noGrad(() => {
    const rows = B.split(outDims, 0).map((part) => part.contiguous()); // each [out, R]
    const [rank] = A.shape;
    const used = rows.map(columnsUsed);
    const touched = used.flatMap((columns, i) => (columns.size > 0 ? [i] : []));
    const own = rank / touched.length;
    const isBlock = (columns: Set<number>, block: number) =>
      [...columns].every((column) => column >= block * own && column < (block + 1) * own);
    const isTakenApart =
      outDims.length > 1 &&
      touched.length > 0 &&
      Number.isInteger(own) &&
      touched.every((i, block) => isBlock(used[i], block));
    if (!isTakenApart || touched.length === 1) {
      return rows.map((part, i) =>
        touched.length === 1 && touched[0] !== i ? null : { A, B: part, rank, alpha },
      );
    }
    return rows.map((part, i) => {
      const block = touched.indexOf(i);
      if (block === -1) return null;
      return {
        A: A.narrow(0, block * own, own), // [R, in] → [r, in]
        B: part.narrow(1, block * own, own), // [out, R] → [out, r]
        rank: own,
        alpha: scaleAlpha(alpha, 1 / touched.length, rankStabilised),
      };
    });
  });
}

/** Ours as one; null for a Linear of the layer that has no update. Their scalings may differ. */
export function fuse(
  parts: readonly (Factors | null)[],
  outDims: readonly number[],
  rankStabilised: boolean,
): Factors {
  const present = parts.filter((part) => part !== null);
  const [first] = present;
  if (parts.length === 1) return first;
  return noGrad(() => {
    const same = (part: Factors | null) =>
      part !== null && part.rank === first.rank && part.alpha === first.alpha && sameNumbers(part.A, first.A);
    if (parts.every(same))
      return {
        ...first,
        B: cat(
          present.map((part) => part.B),
          0,
        ),
      };
    const rank = present.reduce((sum, part) => sum + part.rank, 0);
    const scaling = (part: { alpha: number; rank: number }) =>
      part.alpha / (rankStabilised ? Math.sqrt(part.rank) : part.rank);
    let before = 0;
    const rows = parts.map((part, i) => {
      if (!part) return zeros(outDims[i], rank);
      // A part that is scaled differently from the first carries the difference in its B.
      const ratio = scaling(part) / scaling(first);
      const B = ratio === 1 ? part.B : part.B.mul(ratio);
      const row = cat([zeros(outDims[i], before), B, zeros(outDims[i], rank - before - part.rank)], 1);
      before += part.rank;
      return row;
    });
    return {
      A: cat(
        present.map((part) => part.A),
        0,
      ),
      B: cat(rows, 0),
      rank,
      alpha: scaleAlpha(first.alpha, rank / first.rank, rankStabilised),
    };
  });
}

/** The alpha that leaves the scaling as it is when the rank changes by a factor. */
function scaleAlpha(alpha: number, factor: number, rankStabilised: boolean): number {
  const scaled = alpha * (rankStabilised ? Math.sqrt(factor) : factor);
  const rounded = Math.round(scaled * 1e6) / 1e6;
  return Math.abs(scaled - rounded) < 1e-9 * Math.abs(scaled) ? rounded : scaled;
}

function columnsUsed(B: Tensor): Set<number> {
  const used = new Set<number>();
  const [rows, columns] = B.shape;
  const data = B.storage.data;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      if (data[B.offset + row * columns + column] !== 0) used.add(column);
    }
  }
  return used;
}

function sameNumbers(a: Tensor, b: Tensor): boolean {
  return a.eq(b).all().item() !== 0;
}
