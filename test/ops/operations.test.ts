import { expect } from 'chai';
import { jsKernels } from '../../lib/backend/js/index.ts';
import { F, ones, Tensor } from '../../lib/index.ts';
import * as makers from '../../lib/tensor/create.ts';
import * as library from '../../lib/tensor/index.ts';
import { kernelCalls } from '../support/spy.ts';
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

  it('has every method of Tensor, every function of F and every other function of tensors', () => {
    const notOperations = new Set([
      ...['constructor', 'item', 'toFlatArray', 'toArray', 'toString', 'backward', 'requiresGrad_'],
      ...['addInPlace', 'copyInPlace', 'addProductInPlace'],
      ...['storage', 'shape', 'strides', 'offset', 'dtype', 'ndim', 'size', 'isLeaf'],
    ]);
    const methods = Object.getOwnPropertyNames(Tensor.prototype).filter((name) => !notOperations.has(name));
    const around = ['Tensor', 'noGrad', 'tidy', 'isGradEnabled', 'setPrintOptions'];
    const elsewhere = [...Object.keys(makers), ...around];
    const free = Object.keys(library).filter((name) => !elsewhere.includes(name));
    const functions = [...Object.keys(F).map((name) => `F.${name}`), ...free];
    const rows = OPERATIONS.map(({ name }) => name);
    const absent = [...methods, ...functions].filter(
      (wanted) => !rows.some((row) => new RegExp(`^${wanted}(?![A-Za-z])`).test(row)),
    );
    expect(absent).to.deep.equal([]);
  });

  it('calls every kernel but that of the optimiser', async () => {
    const calls = await kernelCalls(() => {
      for (const { apply, cases, gradient } of OPERATIONS) {
        const inputs = cases[0].map(({ shape, dtype }) => ones([...shape], { dtype }));
        const out = apply(...inputs.map((x) => x.requiresGrad_(gradient && x.dtype === 'float32')));
        if (gradient) out.backward(out.detach());
      }
    });
    const called = new Set(calls.map(({ name }) => name));
    expect(Object.keys(jsKernels).filter((name) => !called.has(name))).to.deep.equal(['adamW']);
  });
});
