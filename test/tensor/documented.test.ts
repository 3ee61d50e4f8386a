import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { Tensor } from '../../lib/index.ts';

describe('the documentation of Tensor', () => {
  it('has a line for every public method, getter and field', () => {
    const source = readFileSync(new URL('../../lib/tensor/tensor.ts', import.meta.url), 'utf8');
    const documented = Array.from(source.matchAll(/\*\/\n {2}(?:get |static )?(\w+)/g), ([, name]) => name);
    const names = Object.getOwnPropertyNames(Tensor.prototype).filter((name) => name !== 'constructor');
    expect(names.filter((name) => !documented.includes(name))).to.deep.equal([]);
  });
});
