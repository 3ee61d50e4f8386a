import { expect } from 'chai';
import { outline, shortTree } from '../../../chapters/common/module-tree.ts';
import { nn } from '../../../lib/index.ts';

describe('the short form of a module tree', () => {
  it('has equal neighbours once, and leaves what differs', () => {
    const block = () => new nn.Sequential(new nn.Linear(2, 2), new nn.ReLU());
    const model = new nn.Sequential(block(), block(), block(), new nn.Linear(2, 1), block());
    expect(shortTree(model)).to.equal(
      [
        'Sequential(',
        '  (0-2): 3 x Sequential(',
        '    (0): Linear(in_features=2, out_features=2, bias=True)',
        '    (1): ReLU()',
        '  )',
        '  (3): Linear(in_features=2, out_features=1, bias=True)',
        '  (4): Sequential(',
        '    (0): Linear(in_features=2, out_features=2, bias=True)',
        '    (1): ReLU()',
        '  )',
        ')',
      ].join('\n'),
    );
    expect(outline(new nn.Sequential(model, new nn.ReLU()))).to.equal(
      [
        'Sequential(',
        '  (0): Sequential((0-2): 3 x Sequential(…), (3): Linear(in_features=2, out_features=1, bias=True), (4): Sequential(…))',
        '  (1): ReLU()',
        ')',
      ].join('\n'),
    );
  });
});
