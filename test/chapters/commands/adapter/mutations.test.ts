import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { GPTModel } from '../../../../chapters/chapter04/index.ts';
import { readOwnTexts } from '../../../../chapters/datasets/index.ts';
import { UserError } from '../../../../lib/errors.ts';
import { io, manualSeed, nn, noGrad, randn } from '../../../../lib/index.ts';
import { readSafetensors } from '../../../../lib/io/safetensors.ts';

const FIXTURES = fileURLToPath(new URL('../../../fixtures/', import.meta.url));
const { ids: _, ...sizes } = JSON.parse(readFileSync(join(FIXTURES, 'peft', 'about.json'), 'utf8'));
const TIMES = 150;

function tinyGpt(): GPTModel {
  return new GPTModel({
    ...{ vocabSize: sizes.vocab_size, contextLength: sizes.n_positions, embDim: sizes.n_embd },
    ...{ nHeads: sizes.n_head, nLayers: sizes.n_layer, dropRate: 0, qkvBias: true },
  });
}

/** Whole numbers below n, the same in every run. */
function draws(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
}

/** A file with up to three faults: cut short, a byte changed anywhere, near the beginning or near the end, some missing. */
function mutated(file: Uint8Array, draw: (n: number) => number): Uint8Array {
  let bytes = Uint8Array.from(file);
  for (let fault = draw(3); fault >= 0; fault--) {
    const kind = draw(5);
    const place = draw(bytes.length + 1);
    const near = Math.min(bytes.length, 500);
    if (kind === 0) bytes = bytes.slice(0, place);
    else if (kind === 1)
      bytes = Uint8Array.from([...bytes.slice(0, place), ...bytes.slice(place + 1 + draw(20))]);
    else if (bytes.length > 0)
      bytes[kind === 2 ? draw(bytes.length) : kind === 3 ? draw(near) : bytes.length - 1 - draw(near)] =
        draw(256);
  }
  return bytes;
}

/** Reads so many mutated files: each is read, or refused in one line. */
async function expectOneLineEach(read: (draw: (n: number) => number) => unknown): Promise<void> {
  const draw = draws(7);
  let refused = 0;
  for (let i = 0; i < TIMES; i++) {
    try {
      await read(draw);
    } catch (error) {
      expect(error, (error as Error).stack).to.be.instanceOf(UserError);
      expect((error as Error).message).to.match(/^[^\n]{1,500}$/);
      refused++;
    }
  }
  expect(refused).to.be.above(TIMES / 2);
}

describe('files with faults', () => {
  const folder = mkdtempSync(join(tmpdir(), 'faults-'));
  after(() => rmSync(folder, { recursive: true }));

  it('adapters are loaded, or refused in one line, and the base stays as it is', async () => {
    const model = tinyGpt();
    const before = JSON.stringify(model.tokEmb.weight.toArray());
    const adapters = ['all', 'patterns', 'rslora', 'saved-norm', 'bfloat16'].map((name) => ({
      config: readFileSync(join(FIXTURES, 'peft', name, 'adapter_config.json')),
      tensors: readFileSync(join(FIXTURES, 'peft', name, 'adapter_model.safetensors')),
    }));
    await expectOneLineEach((draw) => {
      const files = { ...adapters[draw(adapters.length)] };
      const which = draw(2) === 0 ? 'config' : 'tensors';
      io.loadAdapterFiles({ ...files, [which]: mutated(files[which], draw) }, model);
    });
    nn.setAdapter(model, null);
    expect(JSON.stringify(model.tokEmb.weight.toArray())).to.equal(before);
  });

  it('safetensors files are read, or refused in one line', async () => {
    const file = readFileSync(join(FIXTURES, 'peft', 'base', 'model.safetensors'));
    await expectOneLineEach((draw) => {
      for (const [, tensor] of readSafetensors(mutated(file, draw), 'the file')) void tensor.data;
    });
  });

  it('parquet files are read, or refused in one line', async () => {
    const codecs = ['zstd', 'snappy', 'gzip', 'brotli', 'lz4', 'uncompressed'];
    const files = codecs.map((codec) => readFileSync(join(FIXTURES, 'tables', `${codec}.parquet`)));
    const path = join(folder, 'table.parquet');
    await expectOneLineEach(async (draw) => {
      writeFileSync(path, mutated(files[draw(files.length)], draw));
      await readOwnTexts(path, {});
    });
  });
});

describe('three adapters on one base', () => {
  it('are exchanged twenty times, and no number of the base changes', () => {
    manualSeed(2);
    const model = tinyGpt().eval();
    const bits = () =>
      Object.values(model.stateDict())
        .map((tensor) => tensor.toFlatArray().join())
        .join('|');
    const [base, names] = [bits(), ['a', 'b', 'c']];
    for (const name of names) nn.replaceLinearWithLoRA(model, { rank: 2, alpha: 2, name });
    noGrad(() => {
      for (const [name, p] of model.namedParameters())
        if (name.endsWith('.B')) p.copyInPlace(randn(...p.shape));
    });
    for (let i = 0; i < 20; i++) nn.setAdapter(model, names[i % 3]);
    nn.setAdapter(model, null);
    expect(bits()).to.equal(base);
  });
});
