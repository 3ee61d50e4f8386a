import { expect } from 'chai';
import fc from 'fast-check';
import { nn, type Tensor, tensor } from '../../lib/index.ts';
import { counting } from '../support/arbitrary.ts';
import { floatsFromHex, loadFixture } from '../support/fixtures.ts';

interface Row {
  title: string;
  text: string;
  shape: number[];
  dtype: 'float32' | 'int32' | 'bool';
  floats?: string;
  ints?: number[];
  scale?: number;
  by?: 'leaf' | 'mul' | 'add' | 'clone';
}

function tensorOf({ shape, dtype, floats, ints, scale, by }: Row): Tensor {
  if (scale !== undefined) return counting(shape).mul(scale).to(dtype);
  const values = floats === undefined ? Float64Array.from(ints!) : floatsFromHex(floats);
  const t = tensor(values, { dtype }).reshape(shape);
  if (!by) return t;
  const leaf = t.requiresGrad_();
  return { leaf, mul: leaf.mul(1), add: leaf.add(0), clone: leaf.clone() }[by];
}

describe('printing', () => {
  for (const row of loadFixture('printing') as Row[]) {
    it(`prints as PyTorch: ${row.title}`, () => {
      expect(String(tensorOf(row))).to.equal(row.text);
    });
  }

  it('prints a view as it is seen', () => {
    expect(String(counting([2, 3]).T)).to.equal('tensor([[0., 3.],\n        [1., 4.],\n        [2., 5.]])');
    expect(String(counting([4]).slice(0, 2))).to.equal('tensor([2., 3.])');
  });

  it('prints a parameter as PyTorch does', () => {
    const parameter = new nn.Parameter(tensor([[1.5, 2]]));
    expect(String(parameter)).to.equal(
      'Parameter containing:\ntensor([[1.5000, 2.0000]], requires_grad=True)',
    );
  });

  it('can be read back: the shape, and each number as far as it is printed', () => {
    // Few digits, so that no exponent is needed; and some that need one.
    const number = fc.oneof(
      fc.integer({ min: -999, max: 999 }).map((x) => x / 8),
      fc.float({ noNaN: true, noDefaultInfinity: true }),
      fc.constantFrom(Infinity, -Infinity, Number.NaN, 0, -0),
    );
    const shape = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 });
    const filled = shape.chain((s) => {
      const size = s.reduce((a, b) => a * b, 1);
      return fc.tuple(fc.constant(s), fc.array(number, { minLength: size, maxLength: size }));
    });
    fc.assert(
      fc.property(filled, ([s, values]) => {
        const t = tensor(values).reshape(s);
        const text = String(t);
        const json = text
          .slice('tensor('.length, -1)
          .replace(/-?inf|nan/g, '"$&"')
          .replace(/(\d)\.(?!\d)/g, '$1')
          .replace(/e\+/g, 'e');
        const read = (JSON.parse(json) as unknown[]).flat(10) as (number | string)[];
        const back = read.map((x) => Number(String(x).replace('inf', 'Infinity')));
        expect(tensor(back).reshape(s).shape).to.deep.equal(t.shape);
        const nesting = (x: unknown): number[] => (Array.isArray(x) ? [x.length, ...nesting(x[0])] : []);
        expect(nesting(JSON.parse(json))).to.deep.equal(s);
        const exact = t.toFlatArray() as number[];
        for (const [i, x] of exact.entries()) {
          if (!Number.isFinite(x)) expect(back[i]).to.deep.equal(x);
          else {
            // Half a unit of the last digit printed: of the fourth decimal, or of the fourth after the first.
            const unit = json.includes('e') ? 10 ** Math.floor(Math.log10(Math.abs(x) || 1)) : 1;
            expect(Math.abs(back[i] - x)).to.be.at.most(0.5001e-4 * unit);
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});
