import { expect } from 'chai';
import { setBackends } from '../../lib/backend/dispatch.ts';
import { jsKernels } from '../../lib/backend/js/index.ts';
import type { Kernels } from '../../lib/backend/kernels.ts';
import { F, ones, Tensor, useBackend } from '../../lib/index.ts';
import { describeOperations, describeSizes, named } from './check.ts';
import { OPERATIONS } from './table.ts';

describeOperations('js', named('js'));
describeOperations('wasm', named('wasm'));
describeSizes('wasm', named('wasm'));

describe('the table of operations', () => {
  it('names each row once', () => {
    const names = OPERATIONS.map(({ name }) => name);
    expect(names.filter((name, i) => names.indexOf(name) !== i)).to.deep.equal([]);
  });

  it('has every method of Tensor and every function of F', () => {
    const notOperations = new Set([
      ...['constructor', 'item', 'toFlatArray', 'toArray', 'toString', 'backward', 'requiresGrad_'],
      ...['addInPlace', 'copyInPlace', 'addProductInPlace'],
      ...['storage', 'shape', 'strides', 'offset', 'dtype', 'ndim', 'size', 'isLeaf'],
    ]);
    const methods = Object.getOwnPropertyNames(Tensor.prototype).filter((name) => !notOperations.has(name));
    const functions = Object.keys(F).map((name) => `F.${name}`);
    const rows = OPERATIONS.map(({ name }) => name);
    const absent = [...methods, ...functions].filter(
      (wanted) => !rows.some((row) => new RegExp(`^${wanted}(?![A-Za-z])`).test(row)),
    );
    expect(absent).to.deep.equal([]);
  });

  it('calls every kernel but that of the optimiser', async () => {
    const called = new Set<string>();
    const note = (name: string) => () => {
      called.add(name);
      return undefined; // and leave it to js
    };
    const names = Object.keys(jsKernels) as (keyof Kernels)[];
    setBackends([{ name: 'spy', kernels: Object.fromEntries(names.map((name) => [name, note(name)])) }]);
    for (const { apply, cases, gradient } of OPERATIONS) {
      const inputs = cases[0].map(({ shape, dtype }) => ones([...shape], { dtype }));
      const out = apply(...inputs.map((x) => x.requiresGrad_(gradient && x.dtype === 'float32')));
      if (gradient) out.backward(out.detach());
    }
    await useBackend('js');
    expect(names.filter((name) => !called.has(name))).to.deep.equal(['adamW']);
  });
});
