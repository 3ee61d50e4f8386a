import { expect } from 'chai';
import fc from 'fast-check';
import { cat, type Tensor } from '../../lib/index.ts';
import { isContiguous, stridesAfterReshape } from '../../lib/tensor/shape.ts';
import { counting, positions, shapes, sizeOf } from '../support/arbitrary.ts';

/** A view by its definition: a shape, and what to read at each position. */
interface Definition {
  shape: number[];
  at: (position: number[]) => number;
}

const rowMajor = (shape: readonly number[], position: readonly number[]) =>
  shape.reduce((place, length, axis) => place * length + position[axis], 0);

interface Step {
  tensor: Tensor;
  definition: Definition;
  /** Must the result share the storage of its input? */
  shares: boolean;
}

/** One view of a tensor and of its definition; `a`, `b` and `c` choose the axes and positions. */
type Move = (
  from: { tensor: Tensor; definition: Definition },
  a: number,
  b: number,
  c: number,
) => Step | undefined;

const MOVES: Record<string, Move> = {
  transpose: ({ tensor, definition: { shape, at } }, a, b) => {
    if (shape.length === 0) return undefined;
    const [i, j] = [a % shape.length, b % shape.length];
    const swap = (list: number[]) => list.with(i, list[j]).with(j, list[i]);
    return {
      tensor: tensor.transpose(i, j),
      definition: { shape: swap(shape), at: (p) => at(swap(p)) },
      shares: true,
    };
  },
  permute: ({ tensor, definition: { shape, at } }, a, b) => {
    const order = shape.map((_, axis) => axis).sort((i, j) => ((i * 7 + a) % 5) - ((j * 3 + b) % 5));
    return {
      tensor: tensor.permute(order),
      definition: {
        shape: order.map((axis) => shape[axis]),
        at: (p) => at(shape.map((_, axis) => p[order.indexOf(axis)])),
      },
      shares: true,
    };
  },
  slice: ({ tensor, definition: { shape, at } }, a, b, c) => {
    if (shape.length === 0) return undefined;
    const axis = a % shape.length;
    const [start, step] = [b % (shape[axis] + 1), 1 + (c % 3)];
    const count = Math.ceil((shape[axis] - start) / step);
    return {
      // From the end, where the start can be written so.
      tensor: tensor.slice(axis, c % 2 && start < shape[axis] ? start - shape[axis] : start, undefined, step),
      definition: { shape: shape.with(axis, count), at: (p) => at(p.with(axis, start + p[axis] * step)) },
      shares: true,
    };
  },
  select: ({ tensor, definition: { shape, at } }, a, b, c) => {
    const axis = a % Math.max(1, shape.length);
    if (shape.length === 0 || shape[axis] === 0) return undefined;
    const position = b % shape[axis];
    return {
      tensor: tensor.select(axis - (c % 2 ? shape.length : 0), position),
      definition: { shape: shape.toSpliced(axis, 1), at: (p) => at(p.toSpliced(axis, 0, position)) },
      shares: true,
    };
  },
  unsqueeze: ({ tensor, definition: { shape, at } }, a) => {
    const axis = a % (shape.length + 1);
    return {
      tensor: tensor.unsqueeze(axis),
      definition: { shape: shape.toSpliced(axis, 0, 1), at: (p) => at(p.toSpliced(axis, 1)) },
      shares: true,
    };
  },
  squeeze: ({ tensor, definition: { shape, at } }) => ({
    tensor: tensor.squeeze(),
    definition: {
      shape: shape.filter((length) => length !== 1),
      at: (p) => {
        const left = [...p];
        return at(shape.map((length) => (length === 1 ? 0 : left.shift()!)));
      },
    },
    shares: true,
  }),
  expand: ({ tensor, definition: { shape, at } }, a, b) => {
    const target = [1 + (a % 2), ...shape.map((length) => (length === 1 ? 1 + (b % 3) : length))];
    return {
      tensor: tensor.expand(target),
      definition: {
        shape: target,
        at: (p) => at(p.slice(1).map((i, axis) => (shape[axis] === 1 ? 0 : i))),
      },
      shares: true,
    };
  },
  reshape: ({ tensor, definition: { shape, at } }, a, b) => {
    const size = sizeOf(shape);
    const divisors = Array.from({ length: size }, (_, i) => i + 1).filter((d) => size % d === 0);
    if (divisors.length === 0) return undefined;
    const first = divisors[a % divisors.length];
    const second = divisors.filter((d) => (size / first) % d === 0).at(-1 - (b % 2)) ?? 1;
    const target = [first, second, size / first / second];
    const all = Array.from(positions(shape), at);
    return {
      tensor: tensor.reshape(first, -1, target[2]),
      definition: { shape: target, at: (p) => all[rowMajor(target, p)] },
      shares: false,
    };
  },
  flatten: ({ tensor, definition: { shape, at } }, a) => {
    if (shape.length === 0) return undefined;
    const from = a % shape.length;
    const target = [...shape.slice(0, from), sizeOf(shape.slice(from))];
    const all = Array.from(positions(shape), at);
    return {
      tensor: tensor.flatten(from),
      definition: { shape: target, at: (p) => all[rowMajor(target, p)] },
      shares: false,
    };
  },
};

const chains = fc.tuple(
  shapes({ shortest: 0, rank: 3 }),
  fc.array(fc.tuple(fc.constantFrom(...Object.keys(MOVES)), fc.nat(60), fc.nat(60), fc.nat(60)), {
    maxLength: 6,
  }),
);

function expectDefined(tensor: Tensor, { shape, at }: Definition): void {
  expect(tensor.shape).to.deep.equal(shape);
  expect(tensor.toFlatArray()).to.deep.equal(Array.from(positions(shape), at));
}

describe('views', () => {
  it('chained at random show what their definitions say, over the same storage', () => {
    fc.assert(
      fc.property(chains, ([shape, moves]) => {
        let now: { tensor: Tensor; definition: Definition } = {
          tensor: counting(shape),
          definition: { shape, at: (position) => rowMajor(shape, position) },
        };
        for (const [name, a, b, c] of moves) {
          const next = MOVES[name](now, a, b, c);
          if (!next || sizeOf(next.definition.shape) > 500) continue;
          if (next.shares) expect(next.tensor.storage, name).to.equal(now.tensor.storage);
          expectDefined(next.tensor, next.definition);
          now = next;
        }
        const copy = now.tensor.contiguous();
        expectDefined(copy, now.definition);
        expect(isContiguous(copy)).to.equal(true);
      }),
      { numRuns: 500 },
    );
  });

  it('have the gradient of their definition: each element counts as often as it is shown', () => {
    fc.assert(
      fc.property(chains, ([shape, moves]) => {
        const leaf = counting(shape).requiresGrad_();
        let now: { tensor: Tensor; definition: Definition } = {
          tensor: leaf,
          definition: { shape, at: (position) => rowMajor(shape, position) },
        };
        for (const [name, a, b, c] of moves) {
          const next = MOVES[name](now, a, b, c);
          if (next && sizeOf(next.definition.shape) <= 500) now = next;
        }
        const weights = counting(now.tensor.shape, 1);
        now.tensor.backward(weights);
        const wanted = new Array(sizeOf(shape)).fill(0);
        Array.from(positions(now.definition.shape), now.definition.at).forEach((place, i) => {
          wanted[place] += i + 1;
        });
        expect((leaf.grad ?? leaf.zerosLike()).toFlatArray()).to.deep.equal(wanted);
      }),
      { numRuns: 300 },
    );
  });

  it('a write through a view is seen by the tensor, and by no copy', () => {
    const x = counting([3, 4]);
    const copy = x.clone();
    x.T.slice(0, 1, 3).copyInPlace(counting([2, 3], 100));
    expect(x.toArray()).to.deep.equal([
      [0, 100, 103, 3],
      [4, 101, 104, 7],
      [8, 102, 105, 11],
    ]);
    expect(copy.toArray()).to.deep.equal(counting([3, 4]).toArray());
  });

  it('reshape copies only where no strides could show the shape', () => {
    const order = fc.shuffledSubarray([0, 1, 2], { minLength: 3 });
    fc.assert(
      fc.property(
        fc.tuple(...[3, 3, 3].map((max) => fc.integer({ min: 1, max }))),
        order,
        fc.nat(5),
        (shape, axes, pick) => {
          const x = counting(shape).permute(axes);
          const [a, b, c] = x.shape;
          const target = [[a * b, c], [a, b * c], [a * b * c], [c, b, a], [b, a * c], [1, a, b, 1, c]][pick];
          const strides = stridesAfterReshape(x.shape, x.strides, target);
          // Where each element of the result lies; strides exist if that is linear in its position.
          const flat = x.toFlatArray() as number[];
          const step = (axis: number) => {
            const unit = target.map((_, i) => +(i === axis));
            return target[axis] === 1 ? 0 : flat[rowMajor(target, unit)] - flat[0];
          };
          const steps = target.map((_, axis) => step(axis));
          const linear = Array.from(positions(target)).every(
            (p) =>
              flat[rowMajor(target, p)] === flat[0] + p.reduce((sum, i, axis) => sum + i * steps[axis], 0),
          );
          expect(strides !== undefined).to.equal(linear);
          if (strides) expect(x.view(target).storage).to.equal(x.storage);
          else expect(() => x.view(target)).to.throw(/^view: .* without a copy; use reshape$/);
        },
      ),
    );
  });

  it('split and cat undo each other', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }),
        fc.nat(2),
        fc.array(fc.nat(3), { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 5 }),
        (shape, pick, sizes, part) => {
          const axis = pick % shape.length;
          const total = sizes.reduce((a, b) => a + b, 0);
          const x = counting(shape.with(axis, total));
          const parts = x.split(sizes, axis);
          expect(parts.map((t) => t.shape[axis])).to.deep.equal(sizes);
          expect(cat(parts, axis).toArray()).to.deep.equal(x.toArray());
          const equal = x.split(part, axis);
          expect(equal.slice(0, -1).every((t) => t.shape[axis] === part)).to.equal(true);
          expect(cat(equal, axis - shape.length).toArray()).to.deep.equal(x.toArray());
        },
      ),
    );
  });
});
