import { expect } from 'chai';
import { jsKernels } from '../../lib/backend/js/index.ts';
import type { BinaryOp, Strided, UnaryOp } from '../../lib/backend/kernels.ts';
import {
  backends,
  broadcast,
  check,
  cloned,
  inside,
  matrices,
  mustAnswer,
  numbers,
  permuted,
  plainBackends,
  SIZES,
  sliced,
  view,
} from './wasmChecks.ts';

describe('wasm kernels', () => {
  const unary: UnaryOp[] = [
    ...(['neg', 'abs', 'exp', 'log', 'sqrt', 'rsqrt', 'reciprocal', 'square'] as const),
    ...(['tanh', 'sigmoid', 'relu', 'gelu', 'silu'] as const),
  ];
  const binary: BinaryOp[] = ['add', 'sub', 'mul', 'div', 'maximum', 'minimum'];

  for (const op of unary) {
    it(`${op} at every size and layout, and at the ends of the range`, () => {
      for (const m of SIZES) {
        for (const [layout, x] of Object.entries(matrices(m, 17, 1))) {
          check(`${op} ${layout} ${m}`, (kernels) => kernels.unary(op, x));
        }
        check(`${op} ${m}`, (kernels) => kernels.unary(op, view([m], 3)));
      }
      const ends = [
        0, -0, 1, -1, 1e-38, -1e-38, 1e-6, -1e-6, 1e-4, 0.6249, 0.6251, -0.6251, 9, 20, 87, 88.7, 88.8,
      ];
      ends.push(89, 1e4, 3.4e38, -87, -103, -105, -1e4, -3.4e38, Infinity, -Infinity, NaN);
      const x = view([ends.length], 2, Float32Array.from(ends));
      const wanted = jsKernels.unary(op, x).data;
      for (const { kernels } of [backends[0], plainBackends[0]]) {
        const got = mustAnswer(kernels).unary(op, x).data;
        wanted.forEach((value, i) => {
          // Near the smallest normal number only the absolute error counts.
          const bound = Math.max(2e-6 * Math.abs(value), 2e-38);
          if (Number.isFinite(value)) expect(got[i], `${op}(${ends[i]})`).to.be.closeTo(value, bound);
          else expect(got[i], `${op}(${ends[i]})`).to.eql(value);
        });
      }
    });
  }

  for (const op of binary) {
    it(`${op} for every pair of layouts`, () => {
      for (const m of SIZES) {
        for (const [left, a] of Object.entries(matrices(m, 17, 1))) {
          for (const [right, b] of Object.entries(matrices(m, 17, 10))) {
            check(`${left} ${right} ${m}`, (kernels) => kernels.binary(op, a, b));
          }
        }
      }
    });
  }

  it('broadcasts over several dimensions and long rows', () => {
    const shape = [3, 5, 2, 109];
    for (const small of [[109], [2, 109], [5, 1, 109], [3, 1, 2, 1], [1], [5, 2, 1]]) {
      const b = broadcast(view(small, 4), shape);
      check(`add ${small}`, (kernels) => kernels.binary('add', view(shape, 3), b));
      check(`sub ${small}`, (kernels) => kernels.binary('sub', b, view(shape, 3)));
    }
    const long = view([257 * 257], 5);
    check('long', (kernels) => kernels.binary('mul', long, view([257 * 257], 6)));
    check('scalar', (kernels) => kernels.binary('div', broadcast(view([1], 7), [257 * 257]), long));
    check('no dimension', (kernels) => kernels.binary('add', view([], 7), view([], 8)));
  });

  for (const kernel of ['geluBackward', 'siluBackward'] as const) {
    it(`${kernel} for every pair of layouts`, () => {
      for (const m of SIZES) {
        for (const [left, x] of Object.entries(matrices(m, 17, 1))) {
          for (const [right, g] of Object.entries(matrices(m, 17, 7))) {
            check(`${left} ${right} ${m}`, (kernels) => kernels[kernel](x, g));
          }
        }
      }
    });
  }

  it('where, with masks of every layout but transposed', () => {
    for (const m of SIZES) {
      const bools = (length: number) => Uint8Array.from({ length }, (_, i) => +(i % 3 === 0));
      const masks = [view([m, 17], 2, bools(m * 17)), view([17], 3, bools(17)), view([m, 1], 2, bools(m))];
      for (const mask of masks.map((small) => broadcast(small, [m, 17]))) {
        for (const [layout, x] of Object.entries(matrices(m, 17, 1))) {
          if (layout === 'transposed') continue;
          check(layout, (kernels) => kernels.where(mask, x, broadcast(view([1], 5), [m, 17])));
          check(layout, (kernels) => kernels.where(mask, view([m, 17], 6), x));
        }
      }
    }
  });

  it('casts whole numbers and bools to floats', () => {
    for (const m of [...SIZES, 100001]) {
      const whole = Int32Array.from({ length: m }, (_, i) => i * 12345 - 7);
      check(`int32 ${m}`, (kernels) => kernels.cast(view([m], 3, whole), 'float32'));
      const bools = Uint8Array.from({ length: m }, (_, i) => i & 1);
      check(`bool ${m}`, (kernels) => kernels.cast(view([m], 2, bools), 'float32'));
    }
  });

  it('copies views of any layout, and adds onto them', () => {
    for (const m of SIZES) {
      for (const [from, x] of Object.entries(matrices(m, 17, 1))) {
        check(`contiguous ${from}`, (kernels) => kernels.contiguous(x));
        for (const [to, target] of Object.entries(matrices(m, 17, 11))) {
          if (to === 'row' || to === 'column') continue;
          for (const kernel of ['copyInto', 'addInto'] as const) {
            check(`${kernel} ${from} ${to} ${m}`, (kernels) => {
              const into = cloned(target);
              kernels[kernel](into, x);
              return into.storage;
            });
          }
        }
      }
    }
    const x = view([2, 109, 3, 17], 5);
    for (const order of ['0213', '0231', '3210', '1302', '0132']) {
      check(order, (kernels) => kernels.contiguous(permuted(x, [...order].map(Number))));
    }
    check('repeated', (kernels) => kernels.contiguous(broadcast(view([1], 6), [100001])));
    check('long', (kernels) => kernels.contiguous({ ...view([100003], 7), shape: [100001], offset: 2 }));
    check('transposed', (kernels) => kernels.contiguous(permuted(view([301, 203], 8), [1, 0])));
  });

  it('reduces any axes', () => {
    for (const op of ['sum', 'max', 'min'] as const) {
      for (const length of SIZES.slice(1)) {
        for (const x of [view([length, 7, 5], 1), permuted(view([5, 7, length], 2), [2, 1, 0])]) {
          for (const axes of [[0], [1], [2], [0, 1], [1, 2], [0, 2], [0, 1, 2], []]) {
            check(`${op} ${axes} of ${length}`, (kernels) => kernels.reduce(op, x, axes));
          }
        }
      }
      check(`${op} down`, (kernels) => kernels.reduce(op, view([872, 768], 3), [0]));
      check(`${op} across`, (kernels) => kernels.reduce(op, view([872, 768], 4), [1]));
    }
    const withNaN = view([9], 2, Float32Array.from([1, 2, 3, NaN, 5, 6, 7, 8, 9]));
    expect(backends[0].kernels.reduce!('max', withNaN, [0])!.data[0]).to.eql(NaN);
  });

  it('softmax and its relatives', () => {
    const forward = { softmaxBackward: 'softmax', logSoftmaxBackward: 'logSoftmax' } as const;
    for (const n of SIZES) {
      for (const m of [1, 17, 200]) {
        for (const [layout, x] of Object.entries(matrices(m, n, 1))) {
          for (const [backward, kernel] of Object.entries(forward)) {
            check(`${kernel} ${layout} ${m} ${n}`, (kernels) => kernels[kernel](x));
            const y = { ...view([m, n], 6), storage: jsKernels[kernel](x) };
            check(`${backward} ${layout} ${m} ${n}`, (kernels) =>
              kernels[backward as keyof typeof forward](y, view([m, n], 8)),
            );
          }
        }
      }
      for (const t of new Set([n, 1, Math.ceil(n / 2)])) {
        const scores = view([2, 3, t, n], 9);
        check(`causal ${t} ${n}`, (kernels) => kernels.causalSoftmax(scores, 0.125));
        const y = { ...scores, storage: jsKernels.causalSoftmax(scores, 0.125) };
        const g = view([2, 3, t, n], 10);
        check(`causal backward ${t} ${n}`, (kernels) => kernels.causalSoftmaxBackward(y, g, 0.125));
      }
    }
    const masked = view(
      [2, 5],
      2,
      Float32Array.from([1, -Infinity, 3, -Infinity, 5, 1000, 999, -1000, 0, 1]),
    );
    check('softmax, masked', (kernels) => kernels.softmax(masked));
    check('logSoftmax, masked', (kernels) => kernels.logSoftmax(masked));
  });

  it('keeps its digits far from zero', () => {
    for (const centre of [1e4, -1e5, 1e6]) {
      for (const n of [2, 7, 768]) {
        const row = numbers(n, 3).map((value) => value + centre);
        const x = view([1, n], 3, row);
        // In double precision, from the float32 numbers themselves.
        const sumOfExp = row.reduce((sum, value) => sum + Math.exp(value - centre), 0);
        const wanted = Array.from(row, (value) => value - centre - Math.log(sumOfExp));
        for (const kernels of [
          jsKernels,
          ...[backends[0], plainBackends[0]].map(({ kernels }) => mustAnswer(kernels)),
        ]) {
          const y = kernels.logSoftmax(x).data;
          wanted.forEach((value, i) => {
            expect(y[i]).to.be.closeTo(value, 2e-6 * Math.abs(value));
          });
          const target = view([1], 2, Int32Array.of(1));
          const { loss, logSumExp } = kernels.crossEntropy(x, target, -100);
          expect(loss.data[0]).to.be.closeTo(-wanted[1], 2e-6 * Math.abs(wanted[1]));
          const one = view([1], 2, Float32Array.of(1));
          const dx = kernels.crossEntropyBackward(x, target, logSumExp, one, -100).data;
          wanted.forEach((value, i) => {
            expect(dx[i]).to.be.closeTo(Math.exp(value) - (i === 1 ? 1 : 0), 2e-6);
          });
        }
        const [ones, zeros] = [1, 0].map((value) => view([n], 2, new Float32Array(n).fill(value)));
        check(`layer norm ${centre} ${n}`, (kernels) => ({ y: kernels.layerNorm(x, ones, zeros, 1e-5).y }));
      }
    }
  });

  it('lets NaN win in every maximum and minimum, wherever it stands', () => {
    for (const length of [1, 3, 4, 9, 33]) {
      for (let place = 0; place < length; place++) {
        const row = numbers(length, 4);
        row[place] = NaN;
        const x = view([1, length], 3, row);
        for (const kernels of [
          jsKernels,
          ...[backends[0], plainBackends[0]].map(({ kernels }) => mustAnswer(kernels)),
        ]) {
          for (const op of ['max', 'min'] as const) {
            expect(kernels.reduce(op, x, [1]).data[0], `${op} of row`).to.eql(NaN);
            expect(kernels.reduce(op, permuted(x, [1, 0]), [0]).data[0], `${op} of column`).to.eql(NaN);
          }
          const pairs = { maximum: view([length], 4), minimum: view([length], 4) };
          for (const [op, other] of Object.entries(pairs)) {
            const y = kernels.binary(op as BinaryOp, { ...x, shape: [length], strides: [1] }, other).data;
            y.forEach((value, i) => {
              expect(Number.isNaN(value)).to.equal(i === place);
            });
          }
        }
        for (const op of ['max', 'min'] as const)
          expect(jsKernels.argReduce(op, x, 1).data[0]).to.equal(place);
      }
    }
  });

  it('layer norm', () => {
    for (const d of [1, 3, 7, 17, 109, 257, 768]) {
      for (const rows of [1, 17, 109]) {
        const [scale, shift] = [view([d], 1), view([d], 2)];
        for (const x of [view([rows, d], 3), permuted(view([d, rows], 4), [1, 0]), sliced(rows, d, 5)]) {
          check(`${rows} ${d}`, (kernels) => kernels.layerNorm(x, scale, shift, 1e-5));
          const { mean, rstd } = jsKernels.layerNorm(x, scale, shift, 1e-5);
          const g = view([rows, d], 6);
          for (const parameters of [true, false]) {
            if (d === 1) continue; // one number has no variance: its derivative is rounding noise
            check(`backward ${rows} ${d}`, (kernels) =>
              kernels.layerNormBackward(g, x, scale, mean, rstd, parameters),
            );
          }
        }
      }
    }
  });

  it('RMS norm', () => {
    for (const d of [1, 3, 7, 17, 109, 257, 576]) {
      for (const rows of [1, 17, 109]) {
        const scale = view([d], 1);
        for (const x of [view([rows, d], 3), permuted(view([d, rows], 4), [1, 0]), sliced(rows, d, 5)]) {
          check(`${rows} ${d}`, (kernels) => kernels.rmsNorm(x, scale, 1e-5));
          const { rstd } = jsKernels.rmsNorm(x, scale, 1e-5);
          const g = view([rows, d], 6);
          for (const parameters of [true, false]) {
            if (d === 1) continue; // one number has no direction: its derivative is rounding noise
            check(`backward ${rows} ${d}`, (kernels) =>
              kernels.rmsNormBackward(g, x, scale, rstd, parameters),
            );
          }
        }
      }
    }
  });

  it('rotary position embedding, of heads as they lie', () => {
    for (const half of [2, 3, 8, 32, 33]) {
      for (const tokens of [1, 5, 70]) {
        const [cos, sin] = [view([tokens, half], 1), view([tokens, half], 2)];
        const heads = permuted(view([2, tokens, 3, 2 * half], 3), [0, 2, 1, 3]);
        for (const x of [heads, view([tokens, 2 * half], 4), sliced(tokens, 2 * half, 5)]) {
          for (const back of [false, true]) {
            check(`${tokens} ${half} ${back}`, (kernels) => kernels.rotary(x, cos, sin, back));
          }
        }
      }
    }
  });

  it('cross-entropy, with rows that do not count', () => {
    for (const classes of [1, 2, 7, 109, 50257]) {
      const ids = Int32Array.from({ length: 9 }, (_, i) => (i === 4 ? -100 : (i * 31) % classes));
      const targets = view([9], 2, ids);
      for (const logits of [view([9, classes], 3), permuted(view([classes, 9], 4), [1, 0])]) {
        check(`${classes}`, (kernels) => kernels.crossEntropy(logits, targets, -100));
        const { logSumExp } = jsKernels.crossEntropy(logits, targets, -100);
        check(`backward ${classes}`, (kernels) =>
          kernels.crossEntropyBackward(logits, targets, logSumExp, view([1], 5), -100),
        );
      }
    }
    const none = view([2], 2, Int32Array.from([-100, -100]));
    expect(backends[0].kernels.crossEntropy!(view([2, 3], 3), none, -100)!.loss.data[0]).to.eql(NaN);
  });

  it('embeddings', () => {
    const ids = view(
      [19],
      2,
      Int32Array.from({ length: 19 }, (_, i) => (i * i) % 7),
    );
    for (const d of SIZES) {
      check(`${d}`, (kernels) => kernels.embedding(view([7, d], 3), ids));
      check(`backward ${d}`, (kernels) => {
        const target = cloned(view([7, d], 4));
        kernels.embeddingBackwardInto(target, ids, view([19, d], 5));
        return target.storage;
      });
    }
  });

  it('AdamW', () => {
    const step = { lr: 5e-2, beta1: 0.9, beta2: 0.999, eps: 1e-8, weightDecay: 0.1, step: 3 };
    for (const length of [1, 3, 7, 17, 257, 40000]) {
      for (const place of [cloned, inside]) {
        check(`${length}`, (kernels) => {
          const [parameter, m] = [place(view([length], 1)), place(view([length], 3))];
          const v: Strided = place(
            view([length], 4, view([length], 4).storage.data.map(Math.abs) as Float32Array),
          );
          kernels.adamW(parameter, view([length], 6), m.storage, v.storage, step);
          return { parameter: parameter.storage, m: m.storage, v: v.storage };
        });
      }
    }
  });
});
