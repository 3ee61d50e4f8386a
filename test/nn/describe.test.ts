import { expect } from 'chai';
import { nn } from '../../lib/index.ts';

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
});
