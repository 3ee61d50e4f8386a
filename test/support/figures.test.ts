import { expect } from 'chai';
import { compareFigure, compareKnownDifference } from './figures.ts';

const figure = (printed: string) => ({ chapter: 'chapter03', cell: 1, what: '', printed });

describe('comparing figures with the book', () => {
  it('allows one unit of the last printed digit, and no more', () => {
    const book = figure('tensor([0.9544, -1.4950], grad_fn=<MmBackward0>)');
    expect(compareFigure(book, 'tensor([0.9545, -1.4951], grad_fn=<MatmulBackward0>)')).to.equal(undefined);
    expect(compareFigure(book, 'tensor([0.9546, -1.4950])')).to.include('0.9546');
    expect(compareFigure(book, 'tensor([0.9544, 1.4950])')).to.be.a('string');
    expect(compareFigure(book, 'tensor([0.9544])')).to.include('1 numbers');
  });

  it('reads every way of writing a number', () => {
    expect(compareFigure(figure('tensor(1.0000)'), 'tensor(1.)')).to.equal(undefined);
    expect(compareFigure(figure('9.9910e-01'), '9.9911e-01')).to.equal(undefined);
    expect(compareFigure(figure('9.9910e-04'), '9.9930e-04')).to.be.a('string');
    expect(compareFigure(figure('[2, -inf]'), '[2, inf]')).to.be.a('string');
    expect(compareFigure(figure('163,009,536'), '163009536')).to.equal(undefined);
    expect(compareFigure(figure('97.21%'), '97.22%')).to.equal(undefined);
    expect(compareFigure(figure('97.21%'), '97.23%')).to.be.a('string');
    expect(compareFigure(figure('[True, False]'), '[True, True]')).to.be.a('string');
  });

  it('holds whole numbers to equality, and text to the letter', () => {
    expect(compareFigure(figure('Sum: 5145'), 'Sum: 5146')).to.be.a('string');
    expect(compareFigure(figure('a tea'), 'a tea ')).to.equal(undefined);
    expect(compareFigure(figure('a tea'), 'the tea')).to.be.a('string');
  });

  it('holds the words between the numbers', () => {
    const book = figure('Layer(\n  (drop_resid): Dropout(p=0.1)\n)');
    expect(compareFigure(book, 'Layer(\n  (drop_resid): Dropout(p=0.1)\n)')).to.equal(undefined);
    expect(compareFigure(book, 'Layer(\n  (dropShortcut): Dropout(p=0.1)\n)')).to.include('dropShortcut');
    expect(compareFigure(book, 'Layer(\n  (drop_resid): Dropout(p=0.1))\nand more')).to.include('and is not');
    expect(compareFigure(book, 'Layer(p=0.1)')).to.be.a('string');
    const called = { drop_resid: 'drop_shortcut' };
    expect(compareFigure({ ...book, called }, 'Layer((drop_shortcut): Dropout(p=0.1))')).to.equal(undefined);
    expect(compareFigure({ ...book, called }, 'Layer((drop_resid): Dropout(p=0.1))')).to.be.a('string');
    expect(compareFigure({ ...book, cut: true }, 'Layer((drop_resid): Dropout(p=0.1) x')).to.equal(undefined);
  });

  it('holds what differs for a reason to what it is known to be', () => {
    const known = { ...figure('loss: 0.5'), differs: 'a reason', ours: 'loss: 0.7' };
    expect(compareKnownDifference(known, 'loss: 0.7')).to.equal(undefined);
    expect(compareKnownDifference(known, 'loss: 0.9')).to.include('0.9');
    expect(compareKnownDifference(known, 'loss: 0.5')).to.include("the book's by now");
    const near = { ...figure('mean 0.123456789'), differs: 'float32', within: 1e-6 };
    expect(compareKnownDifference(near, 'mean 0.123456123')).to.equal(undefined);
    expect(compareKnownDifference(near, 'mean 0.123466789')).to.be.a('string');
    expect(compareKnownDifference(near, 'median 0.123456123')).to.include('median');
  });

  it('holds a cut text to its hash', () => {
    const sha256 = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'; // of abc
    expect(compareFigure({ ...figure('a …'), sha256 }, 'abc')).to.equal(undefined);
    expect(compareFigure({ ...figure('a …'), sha256 }, 'abd')).to.be.a('string');
  });
});
