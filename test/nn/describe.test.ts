import { expect } from 'chai';
import { F, nn, tensor } from '../../lib/index.ts';

describe('printing a module', () => {
  it('shows the modules below it as PyTorch does', () => {
    const inner = new nn.Sequential(new nn.Embedding(10, 4), new nn.LayerNorm(4));
    const model = new nn.Sequential(
      new nn.Linear(3, 4, { bias: false }),
      new nn.ReLU(),
      inner,
      new nn.Dropout(0),
    );
    expect(String(model)).to.equal(
      [
        'Sequential(',
        '  (0): Linear(in_features=3, out_features=4, bias=False)',
        '  (1): ReLU()',
        '  (2): Sequential(',
        '    (0): Embedding(10, 4)',
        '    (1): LayerNorm((4,), eps=1e-05, elementwise_affine=True)',
        '  )',
        '  (3): Dropout(p=0.0, inplace=False)',
        ')',
      ].join('\n'),
    );
  });

  it('shows norms and activations with their settings', () => {
    expect(String(new nn.RMSNorm(4))).to.equal('RMSNorm((4,), eps=None, elementwise_affine=True)');
    expect(String(new nn.RMSNorm(4, { eps: 1e-5, elementwiseAffine: false }))).to.equal(
      'RMSNorm((4,), eps=1e-05, elementwise_affine=False)',
    );
    expect(String(new nn.GELU({ approximate: 'tanh' }))).to.equal("GELU(approximate='tanh')");
    expect(String(new nn.SiLU())).to.equal('SiLU()');
  });
});

describe('norms and activations as modules', () => {
  const x = tensor([
    [1, -2, 3],
    [0.5, 0, -4],
  ]);

  it('compute what their functions do', () => {
    const norm = new nn.RMSNorm(3, { eps: 1e-5 });
    norm.weight!.copyInPlace(tensor([1, 2, -1]));
    expect(norm.forward(x).equal(F.rmsNorm(x, norm.weight, 1e-5))).to.equal(true);
    expect(new nn.RMSNorm(3, { elementwiseAffine: false }).forward(x).equal(F.rmsNorm(x))).to.equal(true);
    expect(Object.keys(norm.stateDict())).to.deep.equal(['weight']);
    expect(new nn.SiLU().forward(x).equal(F.silu(x))).to.equal(true);
  });

  it('GELU is exact unless it is told otherwise, as in PyTorch', () => {
    expect(new nn.GELU().forward(x).equal(F.gelu(x))).to.equal(true);
    expect(
      new nn.GELU({ approximate: 'tanh' }).forward(x).equal(F.gelu(x, { approximate: 'tanh' })),
    ).to.equal(true);
    expect(F.gelu(x).equal(F.gelu(x, { approximate: 'tanh' }))).to.equal(false);
  });
});
