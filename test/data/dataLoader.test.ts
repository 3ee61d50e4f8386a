import { expect } from 'chai';
import { DataLoader, Dataset, manualSeed, rand, type Tensor, tensor } from '../../lib/index.ts';
import { hexOfFloats, loadFixture } from '../support/fixtures.ts';

const fixture = loadFixture('loaders');

/** The numbers from `first`, as examples. */
class Numbers extends Dataset<number> {
  readonly length: number;
  private readonly first: number;
  constructor(length: number, first = 0) {
    super();
    this.length = length;
    this.first = first;
  }
  get(position: number): number {
    if (!(position >= 0 && position < this.length)) throw new Error(`there is no example ${position}`);
    return this.first + position;
  }
}

const batchesOf = (loader: Iterable<unknown>) => Array.from(loader, (batch) => (batch as Tensor).toArray());
const nextNumber = () => hexOfFloats(rand(1).toFlatArray() as number[]);

describe('DataLoader', () => {
  for (const { n, epochs, length, after, ...options } of fixture.alone) {
    it(`gives PyTorch's batches over three epochs: ${n} examples, ${JSON.stringify(options)}`, () => {
      manualSeed(123);
      const loader = new DataLoader(new Numbers(n), options);
      expect(loader.length).to.equal(length);
      expect(epochs.map(() => batchesOf(loader))).to.deep.equal(epochs);
      expect(nextNumber()).to.equal(after);
    });
  }

  it("keeps PyTorch's order when evaluation passes, whole or broken off, come in between", () => {
    manualSeed(42);
    const train = new DataLoader(new Numbers(13), { batchSize: 4, shuffle: true, dropLast: true });
    const valid = new DataLoader(new Numbers(6, 100), { batchSize: 4 });
    const seen: unknown[] = [];
    for (let epoch = 0; epoch < 3; epoch++) {
      let i = 0;
      for (const batch of train) {
        seen.push((batch as unknown as Tensor).toArray());
        if (i++ !== 1) continue;
        for (const loader of [train, valid]) {
          let j = 0;
          for (const looked of loader) {
            if (j++ === 1) break;
            seen.push((looked as unknown as Tensor).toArray());
          }
        }
      }
      seen.push(...batchesOf(train), ...batchesOf(valid));
    }
    expect(seen).to.deep.equal(fixture.interleaved.seen);
    expect(nextNumber()).to.equal(fixture.interleaved.after);
  });

  it('draws when PyTorch draws: for an iterator, and for its first batch', () => {
    const { between, first, second, after } = fixture.iterators;
    manualSeed(7);
    const train = new DataLoader(new Numbers(13), { batchSize: 4, shuffle: true, dropLast: true });
    const [one, two] = [train[Symbol.iterator](), train[Symbol.iterator]()];
    expect(hexOfFloats(rand(2).toFlatArray() as number[])).to.equal(between);
    const next = (iterator: Iterator<unknown>) => (iterator.next().value as Tensor).toArray();
    expect([next(two), next(one)]).to.deep.equal([second, first]);
    expect(nextNumber()).to.equal(after);
  });

  it('stacks examples field by field: tensors, whole numbers as int32, others as float32', () => {
    const examples = [0, 1, 2].map((i): [Tensor, number, number] => [tensor([i, i + 0.5]), i, i / 2]);
    const dataset = { length: 3, get: (i: number) => examples[i] };
    const [[x, y, z]] = new DataLoader<[Tensor, number, number], Tensor[]>(dataset, { batchSize: 3 });
    expect([x, y, z].map((t) => [t.dtype, t.toArray()])).to.deep.equal([
      [
        'float32',
        [
          [0, 0.5],
          [1, 1.5],
          [2, 2.5],
        ],
      ],
      ['int32', [0, 1, 2]],
      ['float32', [0, 0.5, 1]],
    ]);
  });

  it('leaves what it does not know to the caller, and takes a collate of the caller', () => {
    const words = ['a', 'b', 'c'];
    const dataset = { length: 3, get: (i: number) => words[i] };
    expect(Array.from(new DataLoader<string, unknown>(dataset, { batchSize: 2 }))).to.deep.equal([
      ['a', 'b'],
      ['c'],
    ]);
    const joined = new DataLoader(dataset, { batchSize: 2, collate: (batch) => batch.join('+') });
    expect([...joined]).to.deep.equal(['a+b', 'c']);
  });

  it('asks for an example only when its batch is asked for', () => {
    const asked: number[] = [];
    const dataset = { length: 6, get: (i: number) => asked.push(i) };
    const iterator = new DataLoader<number, unknown>(dataset, { batchSize: 2 })[Symbol.iterator]();
    iterator.next();
    expect(asked).to.deep.equal([0, 1]);
  });

  it('refuses an empty dataset and a batch size that is none', () => {
    expect(() => new DataLoader(new Numbers(0))).to.throw('DataLoader: the dataset is empty');
    for (const batchSize of [0, -1, 1.5]) {
      expect(() => new DataLoader(new Numbers(3), { batchSize })).to.throw(
        `DataLoader: a batch size of ${batchSize} is not a positive integer`,
      );
    }
  });
});
