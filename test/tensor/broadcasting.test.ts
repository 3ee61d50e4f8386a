import { expect } from 'chai';
import fc from 'fast-check';
import { type Tensor, where } from '../../lib/index.ts';
import { sumToShape } from '../../lib/tensor/ops/elementwise.ts';
import { broadcastShapes } from '../../lib/tensor/shape.ts';
import { broadcastable, counting, positions, shapes, sizeOf } from '../support/arbitrary.ts';
import { expectClose } from '../support/close.ts';

/** The definition: where a tensor of `shape`, broadcast, is read for a position of the result. */
function placeIn(shape: readonly number[], position: readonly number[]): number {
  const own = position.slice(position.length - shape.length);
  return shape.reduce((place, length, axis) => place * length + (length === 1 ? 0 : own[axis]), 0);
}

function shapeByDefinition(shapesToJoin: readonly (readonly number[])[]): number[] {
  const rank = Math.max(...shapesToJoin.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) =>
    Math.max(...shapesToJoin.map((shape) => shape[axis - rank + shape.length] ?? 1)),
  );
}

/** f of one number of each tensor, at every position of the broadcast shape. */
function byDefinition(tensors: readonly Tensor[], f: (...values: number[]) => number) {
  const shape = shapeByDefinition(tensors.map((t) => t.shape));
  const data = tensors.map((t) => t.toFlatArray().map(Number));
  const values = Array.from(positions(shape), (position) =>
    f(...tensors.map((t, i) => data[i][placeIn(t.shape, position)])),
  );
  return { shape, values };
}

function expectSame(actual: Tensor, wanted: { shape: number[]; values: number[] }): void {
  expect(actual.shape).to.deep.equal(wanted.shape);
  expect(actual.toFlatArray().map(Number)).to.deep.equal(wanted.values);
}

describe('broadcasting', () => {
  it('pairs elements as the definition says, for arithmetic and comparisons', () => {
    fc.assert(
      fc.property(broadcastable(2), ([first, second]) => {
        const a = counting(first);
        const b = counting(second, 3);
        expectSame(
          a.mul(100).sub(b),
          byDefinition([a, b], (x, y) => 100 * x - y),
        );
        expectSame(
          a.lt(b),
          byDefinition([a, b], (x, y) => +(x < y)),
        );
        expectSame(
          a.int().maximum(b.int()),
          byDefinition([a, b], (x, y) => Math.max(x, y)),
        );
      }),
    );
  });

  it('chooses as the definition says, from three shapes', () => {
    fc.assert(
      fc.property(broadcastable(3), ([condition, first, second]) => {
        const choose = counting(condition).int();
        const even = choose.sub(choose.div(2).int().mul(2)).eq(0);
        const a = counting(first);
        const b = counting(second, 1000);
        expectSame(
          where(even, a, b),
          byDefinition([even, a, b], (c, x, y) => (c ? x : y)),
        );
      }),
    );
  });

  it('expands as the definition says, sharing the storage', () => {
    fc.assert(
      fc.property(broadcastable(2), ([from, other]) => {
        const target = shapeByDefinition([from, other]);
        const x = counting(from);
        const expanded = x.expand(target);
        expectSame(
          expanded,
          byDefinition([x, counting(target)], (value) => value),
        );
        expect(expanded.storage).to.equal(x.storage);
      }),
    );
  });

  it('refuses exactly the shapes of which two lengths differ and neither is 1', () => {
    fc.assert(
      fc.property(shapes({ shortest: 0 }), shapes({ shortest: 0 }), (a, b) => {
        const rank = Math.min(a.length, b.length);
        const fits = Array.from({ length: rank }, (_, i) => [a.at(-1 - i)!, b.at(-1 - i)!]).every(
          ([x, y]) => x === y || x === 1 || y === 1,
        );
        if (fits) expect(broadcastShapes(a, b, 'add')).to.have.length(Math.max(a.length, b.length));
        else
          expect(() => broadcastShapes(a, b, 'add')).to.throw(
            /^add: \[.*\] and \[.*\] do not broadcast: \d against \d$/,
          );
      }),
    );
  });

  it('sums back what it spread out: ⟨g, expand(x)⟩ = ⟨sumToShape(g), x⟩', () => {
    fc.assert(
      fc.property(broadcastable(2), ([from, other]) => {
        const target = shapeByDefinition([from, other]);
        const x = counting(from, -3);
        const g = counting(target, -7);
        const summed = sumToShape(g, x.shape);
        expect(summed.shape).to.deep.equal(x.shape);
        expect(summed.mul(x).sum().item()).to.equal(g.mul(x.expand(target)).sum().item());
      }),
    );
  });

  it('sums the gradient of every operand to its own shape', () => {
    fc.assert(
      fc.property(broadcastable(2), ([first, second]) => {
        const a = counting(first, 1).requiresGrad_();
        const b = counting(second, 2).requiresGrad_();
        const shape = shapeByDefinition([first, second]);
        a.mul(b).sum().backward();
        expect(a.grad!.shape).to.deep.equal(a.shape);
        // Each element of a meets sum(b, broadcast) / (how often b's elements are repeated beside it).
        const wanted = sumToShape(b.detach().expand(shape), a.shape);
        expectClose(a.grad!.toFlatArray(), wanted.toFlatArray() as number[], 0, 'gradient of a');
        expect(b.grad!.sum().item()).to.equal(a.detach().expand(shape).sum().item());
      }),
    );
  });

  it('keeps nothing when a length is 0', () => {
    fc.assert(
      fc.property(shapes({ shortest: 0, rank: 3 }), (shape) => {
        const x = counting(shape);
        expect(x.add(1).shape).to.deep.equal(shape);
        expect(x.add(1).toFlatArray()).to.have.length(sizeOf(shape));
      }),
    );
  });
});
