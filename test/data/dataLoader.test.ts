import { expect } from 'chai';
import { DataLoader, Dataset, manualSeed, rand, type Tensor, tensor, UserError } from '../../lib/index.ts';
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

  it('makes a bool tensor of booleans', () => {
    const dataset = { length: 2, get: (i: number) => i === 0 };
    const [batch] = new DataLoader<boolean, Tensor>(dataset, { batchSize: 2 });
    expect([batch.dtype, batch.toArray()]).to.deep.equal(['bool', [true, false]]);
  });

  it('refuses examples that cannot be one batch, in one line', () => {
    const batchOf = (examples: unknown[]) => {
      const dataset = { length: examples.length, get: (i: number) => examples[i] };
      return () => [...new DataLoader<unknown, unknown>(dataset, { batchSize: 8 })];
    };
    expect(batchOf([[1, 2], [3]])).to.throw(UserError, 'examples of 2 and of 1 fields cannot be one batch');
    expect(batchOf([tensor([1, 2]), tensor([3])])).to.throw(UserError, 'stack: [1] and [2] are not equal');
    expect(batchOf([tensor([1]), 3])).to.throw(UserError, 'a tensor and 3 cannot be in one batch');
    expect(batchOf([1, 'two'])).to.throw(UserError, "1 and 'two' cannot be in one batch");
    expect(batchOf([1, undefined])).to.throw(UserError, 'a length of 2, but nothing at position 1');
  });

  it('refuses what is no dataset, and options that it does not have', () => {
    const loader = (dataset: unknown, options: object = {}) => {
      return () => new DataLoader(dataset as Dataset<number>, options);
    };
    expect(loader([1, 2])).to.throw(UserError, 'a dataset has a length and get(position), not an array');
    expect(loader(undefined)).to.throw(UserError, 'not undefined');
    expect(loader({ length: 1.5, get: () => 0 })).to.throw(
      UserError,
      "the dataset's length is a whole number",
    );
    expect(loader(new Numbers(3), { batch_size: 2 })).to.throw(UserError, 'did you mean batchSize?');
    expect(loader(new Numbers(3), { shuffle: 1 })).to.throw(UserError, 'shuffle is true or false, not 1');
    expect(loader(new Numbers(3), { numWorkers: 2 })).to.throw(UserError, 'there is no option numWorkers');
  });

  it('refuses an empty dataset and a batch size that is none', () => {
    expect(() => new DataLoader(new Numbers(0))).to.throw('DataLoader: the dataset is empty');
    for (const batchSize of [0, -1, 1.5, Number.NaN]) {
      expect(() => new DataLoader(new Numbers(3), { batchSize })).to.throw(
        `DataLoader: batchSize is a whole number from 1 up, not ${batchSize}`,
      );
    }
  });
});
