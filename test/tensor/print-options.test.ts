import { expect } from 'chai';
import { setPrintOptions, tensor, zeros } from '../../lib/index.ts';

describe('setPrintOptions', () => {
  afterEach(() => setPrintOptions({ sciMode: null }));

  it('prints more elements than fit on the stack as arguments', () => {
    // Of each axis six are shown: all 6⁷ = 279,936.
    expect(String(zeros(6, 6, 6, 6, 6, 6, 6)).match(/0\./g)).to.have.lengthOf(6 ** 7);
  });

  it('decides on the notation, or leaves it to the numbers', () => {
    const far = tensor([0.9991, 0.0009]);
    const near = tensor([0.5, 0.25]);
    expect(String(far)).to.equal('tensor([9.9910e-01, 9.0000e-04])');
    setPrintOptions({ sciMode: false });
    expect(String(far)).to.equal('tensor([0.9991, 0.0009])');
    setPrintOptions({ sciMode: true });
    expect(String(near)).to.equal('tensor([5.0000e-01, 2.5000e-01])');
    setPrintOptions({ sciMode: null });
    expect(String(near)).to.equal('tensor([0.5000, 0.2500])');
  });
});
