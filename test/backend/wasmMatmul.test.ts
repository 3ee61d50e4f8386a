import { expect } from 'chai';
import { jsKernels } from '../../lib/backend/js/index.ts';
import { backends, broadcast, check, cloned, layouts, permuted, SIZES, sliced, view } from './wasmChecks.ts';

describe('wasm matrix product', () => {
  for (const m of SIZES) {
    it(`m = ${m}, any n and k, with and without transposition and bias`, () => {
      for (const n of SIZES) {
        for (const k of SIZES) {
          if (m * n * k > 257 * 257 * 17) continue;
          const lefts = [view([m, k], 1), permuted(view([k, m], 2), [1, 0])];
          const rights = [view([k, n], 3), permuted(view([n, k], 4), [1, 0])];
          for (const a of lefts) {
            for (const b of rights) {
              check(
                `[${m}, ${k}] (${a.strides}) · [${k}, ${n}] (${b.strides})`,
                (kernels) => kernels.matmul(a, b),
                Math.sqrt(k),
              );
            }
          }
          check(
            `bias ${m} ${n} ${k}`,
            (kernels) => kernels.matmul(lefts[0], rights[1], view([n], 5)),
            Math.sqrt(k),
          );
        }
      }
    });
  }

  it('cuts large products into blocks and long sums into pieces', () => {
    for (const [m, n, k] of [
      [257, 257, 257],
      [301, 203, 900],
      [7, 2000, 769],
      [2000, 3, 400],
      [1, 3000, 768],
      [2, 768, 3072],
      [7, 4400, 1000], // B packed in two parts
    ]) {
      const [left, right, bias] = [view([m, k], 1), view([k, n], 4), view([n], 7)];
      const wanted = jsKernels.matmul(left, right, bias);
      const rights = layouts(right);
      for (const a of layouts(left)) {
        for (const b of rights) {
          check(`${m} ${n} ${k}`, (kernels) => kernels.matmul(a, b, bias), Math.sqrt(k), wanted);
        }
      }
    }
  });

  it('multiplies batches: heads, broadcast operands, rows that fold and rows that do not', () => {
    const heads = (seed: number) => permuted(view([2, 17, 3, 7], seed), [0, 2, 1, 3]); // [2, 3, 17, 7]
    const [q, k, v] = [heads(1), permuted(heads(2), [0, 1, 3, 2]), heads(3)];
    check('q kᵀ', (kernels) => kernels.matmul(q, k));
    check('w v', (kernels) => kernels.matmul(view([2, 3, 17, 17], 4), v));
    check('wᵀ g', (kernels) => kernels.matmul(permuted(view([2, 3, 17, 17], 5), [0, 1, 3, 2]), v));
    const weight = broadcast(permuted(view([9, 7], 6), [1, 0]), [2, 3, 7, 9]);
    check('one weight, folding', (kernels) => kernels.matmul(view([2, 3, 17, 7], 7), weight, view([9], 8)));
    check('one weight, not folding', (kernels) => kernels.matmul(heads(9), weight, view([9], 10)));
    check('one left side', (kernels) => kernels.matmul(broadcast(view([1, 1, 5, 7], 11), [2, 3, 5, 7]), k));
    check('one row each', (kernels) => kernels.matmul(view([4, 3, 1, 7], 12), view([4, 3, 7, 9], 13)));
    const many = permuted(view([96, 33, 16], 15), [0, 2, 1]);
    check('many', (kernels) => kernels.matmul(view([96, 33, 16], 14), many));
    check('large', (kernels) =>
      kernels.matmul(view([2, 9, 700], 16), view([2, 700, 600], 17), view([600], 18)),
    );
    check('none', (kernels) => kernels.matmul(view([0, 3, 4], 18), view([0, 4, 5], 19)));
  });

  it('multiplies a few rows of each head by keys and values that have room after them', () => {
    for (const tokens of [1, 2, 3, 4, 5]) {
      for (const seen of [1, 6, 33, 700]) {
        const kept = (seed: number) => {
          const room = view([2, 3, seen + 9, 8], seed);
          return { ...room, shape: [2, 3, seen, 8] };
        };
        const keys = permuted(kept(1), [0, 1, 3, 2]); // [2, 3, 8, seen]
        check(`q kᵀ, ${tokens} of ${seen}`, (kernels) => kernels.matmul(view([2, 3, tokens, 8], 2), keys));
        check(
          `w v, ${tokens} of ${seen}`,
          (kernels) => kernels.matmul(view([2, 3, tokens, seen], 3), kept(4), view([8], 5)),
          Math.sqrt(seen),
        );
        const apart = permuted(view([3, 2, tokens, 8], 6), [1, 0, 2, 3]); // heads in another order
        check(`q kᵀ, ${tokens} of ${seen}, heads apart`, (kernels) => kernels.matmul(apart, keys));
      }
    }
  });

  it('adds onto a target, also one that lies transposed or in a larger matrix', () => {
    for (const [m, n, k] of [
      [3, 7, 17],
      [109, 17, 257],
      [17, 109, 400],
      [1, 1, 1],
      [5, 1, 3],
      [3, 4, 0],
    ]) {
      for (const target of [view([m, n], 20), permuted(view([n, m], 20), [1, 0]), sliced(m, n, 20)]) {
        check(
          `${m} ${n} ${k}`,
          (kernels) => {
            const into = cloned(target);
            kernels.matmulInto(into, permuted(view([k, m], 21), [1, 0]), view([k, n], 22));
            return into.storage;
          },
          Math.sqrt(k),
        );
      }
    }
  });

  it('notices that a weight whose packed panels it keeps has changed', () => {
    for (const { kernels } of backends) {
      const weight = view([64, 96], 2);
      const x = view([7, 64], 4);
      const same = (what: string) => {
        const wanted = jsKernels.matmul(x, weight).data;
        const got = kernels.matmul!(x, weight)!.data;
        got.forEach((value, i) => {
          expect(value, what).to.be.closeTo(wanted[i], 1e-4);
        });
      };
      for (let use = 1; use <= 4; use++) same(`use ${use}`);
      weight.storage.writable.fill(0.5);
      for (let use = 1; use <= 4; use++) same(`changed, use ${use}`);
      kernels.copyInto!(weight, view([64, 96], 6));
      for (let use = 1; use <= 4; use++) same(`written by a kernel, use ${use}`);
      const transposed = { ...weight, shape: [96, 64], strides: [1, 96] };
      const y = view([7, 96], 8);
      for (let use = 1; use <= 4; use++) {
        const wanted = jsKernels.matmul(y, transposed).data;
        expect(kernels.matmul!(y, transposed)!.data[13], `another layout, use ${use}`).to.be.closeTo(
          wanted[13],
          1e-4,
        );
        same(`after another layout, use ${use}`);
      }
    }
  });

  it('cuts very long sums into pieces, also where the packed panels are kept', () => {
    const [m, n, k] = [65, 52, 6500];
    const weights = [view([k, n], 2), permuted(view([n, k], 3), [1, 0])];
    for (const a of [view([m, k], 1), permuted(view([k, m], 4), [1, 0])]) {
      for (const weight of weights) {
        // What a sum of k numbers of about 1 loses by being rounded k times grows with k.
        for (let use = 1; use <= 3; use++) check(`use ${use}`, (kernels) => kernels.matmul(a, weight), k);
      }
    }
  });

  it('leaves out what is zero behind a mask, and gives the bits of the whole sums, NaN and infinity too', () => {
    const [t, d, heads] = [45, 33, 3];
    for (const special of [0, Number.NaN, Number.POSITIVE_INFINITY]) {
      const weights = view([heads, t, t], 1);
      const lower = weights.storage.data as Float32Array;
      lower.forEach((_, at) => {
        if (at % t > Math.floor(at / t) % t) lower[at] = at % 2 ? 0 : -0;
      });
      const values = view([heads, t, d], 2);
      if (special) values.storage.data[40 * d + 5] = special;
      for (const a of [weights, permuted(weights, [0, 2, 1])]) {
        for (const { name, kernels } of backends) {
          const all = kernels.matmul!(a, values)!.data as Float32Array;
          for (let head = 0; head < heads; head++) {
            const of = (x: typeof a, size: number) => ({
              storage: x.storage,
              shape: x.shape.slice(1),
              strides: x.strides.slice(1),
              offset: x.offset + head * size,
            });
            // One pair of matrices: nothing is left out.
            const alone = kernels.matmul!(of(a, t * t), of(values, t * d))!.data;
            const bits = (x: ArrayLike<number>) => Array.from(x, (v) => (Object.is(v, -0) ? '-0' : `${v}`));
            expect(bits(all.subarray(head * t * d, (head + 1) * t * d)), name).to.deep.equal(bits(alone));
          }
        }
      }
    }
  });

  it('gives back the packed panels of weights that are gone', () => {
    const { memory, kernels } = backends[0];
    memory.collect();
    const before = memory.heap.bytesInUse;
    for (let i = 0; i < 50; i++) {
      const weight = view([256, 256], 1);
      for (let use = 0; use < 3; use++) kernels.matmul!(view([24, 256], 3), weight);
    }
    memory.collect();
    expect(memory.heap.bytesInUse - before).to.be.below(2 ** 20);
  });
});
