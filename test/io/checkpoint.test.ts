import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import {
  arange,
  manualSeed,
  nn,
  rand,
  randn,
  type Tensor,
  tensor,
  UserError,
  useBackend,
} from '../../lib/index.ts';
import { loadTensors, saveTensors, withTensors } from '../../lib/io/checkpoint.ts';
import { openSafetensors } from '../../lib/io/safetensors-file.ts';
import { writeSafetensors } from '../../lib/io/safetensors-write.ts';
import { damaged } from '../support/arbitrary.ts';
import { expectTensor } from '../support/close.ts';

const folder = mkdtempSync(join(tmpdir(), 'checkpoint-'));
after(() => rmSync(folder, { recursive: true }));
const path = join(folder, 'w.safetensors');

/** A file with one tensor of given bytes. */
function fileOf(dtype: string, shape: number[], bytes: ArrayBufferView): string {
  const header = JSON.stringify({ w: { dtype, shape, data_offsets: [0, bytes.byteLength] } });
  const padded = new TextEncoder().encode(header.padEnd(Math.ceil(header.length / 8) * 8));
  const length = new BigUint64Array([BigInt(padded.length)]);
  writeFileSync(
    path,
    Buffer.concat(
      [length, padded, bytes].map((part) => Buffer.from(part.buffer, part.byteOffset, part.byteLength)),
    ),
  );
  return path;
}

for (const backend of ['js', 'wasm'] as const) {
  describe(`tensors on disk, on ${backend}`, () => {
    before(() => useBackend(backend));
    after(() => useBackend('js'));

    it('come back with their type, shape and numbers, views and bools too', async () => {
      const x = randn(30, 20);
      const tensors: Record<string, Tensor> = {
        whole: x,
        transposed: x.t(),
        part: x.slice(0, 3, 9).select(1, 4),
        repeated: x.select(0, 0).unsqueeze(0).expand(3, 20),
        mask: x.gt(0),
        maskView: x.gt(0).t(),
        ids: arange(5),
        none: x.slice(0, 0, 0),
        one: tensor(3),
      };
      await saveTensors(path, tensors);
      const loaded = loadTensors(path);
      expect(Object.keys(loaded)).to.have.members(Object.keys(tensors));
      for (const [name, wanted] of Object.entries(tensors))
        expectTensor(loaded[name], wanted.contiguous(), 0, name);
      expect(openSafetensors(path).get('mask')!.dtype).to.equal('BOOL');
    });

    it('are written whole, however many views of temporaries there are', async () => {
      const views = Array.from({ length: 30 }, (_, i) => randn(64, 64).add(i).t());
      const wanted = views.map((view) => view.toFlatArray());
      await saveTensors(path, Object.fromEntries(views.map((view, i) => [`${i}`, view])));
      const loaded = loadTensors(path);
      wanted.forEach((numbers, i) => void expect(loaded[i].toFlatArray()).to.deep.equal(numbers));
    });

    it('fill a model from the file, whole and as views, and give their memory back', async () => {
      manualSeed(1);
      const from = new nn.Sequential(new nn.Linear(6, 4), new nn.Linear(4, 6, { bias: false }));
      const first = from.stateDict()['0.weight'];
      await saveTensors(path, { ...from.stateDict(), other: first });
      const to = nn.init.skip(
        () => new nn.Sequential(new nn.Linear(6, 4), new nn.Linear(4, 6, { bias: false })),
      );
      withTensors(path, 'the weights', ({ other, ...state }) => {
        expect(other.storage.isOnHost).to.equal(false);
        to.loadStateDict({ ...state, '1.weight': state['0.weight'].t() });
        expect(state['0.weight'].storage.isOnHost).to.equal(false);
      });
      expectTensor(to.stateDict()['0.weight'].detach(), first.detach());
      expectTensor(to.stateDict()['1.weight'].detach(), first.detach().t().contiguous());
      expectTensor(to.stateDict()['0.bias'].detach(), from.stateDict()['0.bias'].detach());
    });
  });
}

describe('weights from elsewhere', () => {
  before(() => useBackend('js'));

  it('of 64 bits, of few bits, of more than one read', () => {
    expect(loadTensors(fileOf('F64', [2], Float64Array.of(0.1, -1e300))).w.toArray()).to.deep.equal([
      Math.fround(0.1),
      Number.NEGATIVE_INFINITY,
    ]);
    expect(loadTensors(fileOf('I8', [2], Int8Array.of(-3, 5))).w.toArray()).to.deep.equal([-3, 5]);
    expect(loadTensors(fileOf('U16', [1], Uint16Array.of(65535))).w.toArray()).to.deep.equal([65535]);
    const bools = fileOf('BOOL', [4], Uint8Array.of(0, 1, 2, 255));
    expect(Array.from(loadTensors(bools).w.storage.data)).to.deep.equal([0, 1, 1, 1]);
    withTensors(bools, 'bools', ({ w }) => expect(Array.from(w.storage.data)).to.deep.equal([0, 1, 1, 1]));
    const many = Uint16Array.from({ length: 5_000_001 }, (_, i) => i % 0x7c00);
    const { w } = loadTensors(fileOf('F16', [many.length], many));
    for (const i of [0, 1, 2_097_151, 2_097_152, 4_194_304, 5_000_000]) {
      expect(w.select(0, i).item()).to.equal(
        loadTensors(fileOf('F16', [1], many.subarray(i, i + 1))).w.item(),
      );
    }
  }).timeout(120_000);

  it('of a type that cannot be read are an error only if they are needed', () => {
    const { w } = loadTensors(fileOf('F8_E5M2', [3], Uint8Array.of(1, 2, 3)));
    expect(w.shape).to.deep.equal([3]);
    expect(() => w.toArray()).to.throw(UserError, "tensor 'w' of");
  });

  it('that are not finite are refused when a model is filled, and named', () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
      fileOf('F32', [3], Float32Array.of(1, value, 2));
      expect(() => withTensors(path, 'the weights', ({ w }) => w.toArray())).to.throw(
        UserError,
        /tensor 'w' of .* holds NaN/,
      );
    }
    fileOf('F32', [2], Float32Array.of(3e38, -3e38));
    expect(withTensors(path, 'the weights', ({ w }) => w.toArray())).to.have.length(2);
  });

  it('in several files are read by their index or their folder', () => {
    const place = join(folder, 'sharded');
    mkdirSync(place);
    const part = (name: string, key: string, value: number) =>
      writeFileSync(
        join(place, name),
        writeSafetensors([[key, { shape: [1], data: Float32Array.of(value) }]]),
      );
    part('model-00001-of-00002.safetensors', 'a', 1);
    part('model-00002-of-00002.safetensors', 'b', 2);
    const index = join(place, 'model.safetensors.index.json');
    const write = (map: unknown) => writeFileSync(index, JSON.stringify({ metadata: {}, weight_map: map }));
    const map = { b: 'model-00002-of-00002.safetensors', a: 'model-00001-of-00002.safetensors' };
    write(map);
    for (const given of [place, index]) {
      const { a, b } = loadTensors(given);
      expect([a.item(), b.item()]).to.deep.equal([1, 2]);
    }
    const wrong: [unknown, string][] = [
      [{ ...map, c: map.a }, "has no tensor 'c'; it has a"],
      [{ a: 'model-00003-of-00002.safetensors' }, 'does not exist'],
      [{ a: '../../etc/passwd' }, "tensor 'a' is not in a proper file"],
      [{ a: 5 }, "tensor 'a' is not in a proper file"],
      [{}, 'it has no weight_map'],
      [undefined, 'it has no weight_map'],
    ];
    for (const [given, message] of wrong) {
      write(given);
      expect(() => loadTensors(place), message).to.throw(UserError, message);
    }
    writeFileSync(index, '{"weight_map"');
    expect(() => loadTensors(place)).to.throw(UserError, 'is not JSON');
    expect(() => loadTensors(folder)).to.throw(UserError, `${folder} has no model.safetensors`);
    writeFileSync(join(folder, 'pytorch_model.bin'), '');
    expect(() => loadTensors(folder)).to.throw(UserError, "only PyTorch's pickle");
  });

  it('can be taken from a file that is renamed away while it is open', () => {
    fileOf('F32', [1], Float32Array.of(1));
    withTensors(path, 'the weights', ({ w }) => {
      rmSync(path);
      fileOf('F32', [1], Float32Array.of(2));
      expect(w.item()).to.equal(1);
    });
  });

  it('however a file is damaged: a line, or tensors within its size', () => {
    const original = writeSafetensors([
      ['a', { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) }],
      ['b', { shape: [4], data: Uint8Array.of(0, 1, 1, 0) }],
    ]);
    fc.assert(
      fc.property(damaged(original), (bytes) => {
        writeFileSync(path, bytes);
        try {
          for (const t of Object.values(loadTensors(path))) expect(t.size).to.be.at.most(original.length);
        } catch (error) {
          expect(error).to.be.instanceOf(UserError);
          expect((error as Error).message).not.to.include('\n');
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('skipping the drawing of weights', () => {
  it('takes nothing from the generator, and ends with the body, even by an error', () => {
    manualSeed(4);
    const wanted = rand(3).toArray();
    manualSeed(4);
    const model = nn.init.skip(
      () => new nn.Sequential(new nn.Linear(3, 2), new nn.Embedding(5, 2), new nn.LayerNorm(2)),
    );
    nn.init.skip(() => new nn.LoRALayer(3, 2, 2, 2));
    expect(() => nn.init.skip(() => nn.init.kaimingUniform(tensor([1])))).to.throw(UserError);
    expect(rand(3).toArray()).to.deep.equal(wanted);
    expect(Object.values(model.stateDict()).map((t) => t.shape)).to.deep.equal([
      [2, 3],
      [2],
      [5, 2],
      [2],
      [2],
    ]);
    expect(new nn.Linear(3, 2).weight.toFlatArray()).to.not.include(0);
  });
});
