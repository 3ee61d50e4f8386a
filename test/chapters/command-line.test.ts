import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { GPTModel } from '../../chapters/chapter04/index.ts';
import { io } from '../../lib/index.ts';
import { saveTensors } from '../../lib/io/checkpoint.ts';
import { program } from '../support/program.ts';

const chapter = (name: string, ...args: string[]) => program(`chapters/${name}/run.ts`, args);

/** Fails unless the run ends with one line that fits, no stack trace, and a code that is not 0. */
async function expectOneLine(run: ReturnType<typeof program>, pattern: RegExp) {
  const { status, stderr } = await run;
  const lines = stderr.trim().split('\n');
  expect(lines, stderr).to.have.length(1);
  expect(lines[0]).to.match(pattern);
  expect(status).to.be.oneOf([1, 2]);
}

/** A busy machine is slow enough for lines of progress. */
const withoutProgress = (stderr: string) => stderr.replaceAll(/^.*[█░] \d+\/\d+ · .*\n/gm, '');

describe("chapter 6's command line", function () {
  this.timeout(120_000);
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'chapter06-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  it('names an unknown option, and a value that does not fit', async () => {
    const given = (...args: string[]) => chapter('chapter06', ...args);
    await Promise.all([
      expectOneLine(given('--rnak', '8'), /unknown option --rnak/),
      expectOneLine(given('--model', 'gpt5'), /--model must be one of mini, gpt2-small/),
      expectOneLine(
        given('--rank', '20000', '--data', 'stand-in', '--out', folder),
        /--rank 20000 is above the rank of every matrix of the model: give at most 128/,
      ),
      expectOneLine(given('--rank', '0'), /--rank must be a whole number, at least 1/),
      expectOneLine(
        given('--data', 'stand-in', '--max-length', '300', '--random-weights'),
        /--max-length 300 is too long: mini sees at most 256 tokens/,
      ),
    ]);
  });

  it('a second run in the same folder is told so, and one in another chapter is not', async () => {
    const release = await io.holdFolder(join(folder, 'chapter06'));
    await expectOneLine(
      chapter('chapter06', '--data', 'stand-in', '--out', folder),
      /^error: another run \(process \d+\) writes to \S+chapter06: wait, or give another --out$/,
    );
    await (await io.holdFolder(join(folder, 'chapter07')))();
    release();
    expect(existsSync(join(folder, 'chapter06'))).to.equal(false);
  });

  it('names a data file that is not there, and one that is not the collection', async () => {
    const wrong = join(folder, 'wrong.txt');
    writeFileSync(wrong, 'maybe\thello\n');
    await Promise.all([
      expectOneLine(chapter('chapter06', '--data', join(folder, 'none')), /none does not exist/),
      expectOneLine(chapter('chapter06', '--data', wrong), /wrong\.txt.*(ham|label)/),
    ]);
  });

  it('names the first missing and unexpected keys of weights of another model', async () => {
    const other = new GPTModel({
      ...{
        vocabSize: 50257,
        contextLength: 256,
        embDim: 128,
        nHeads: 4,
        nLayers: 1,
        dropRate: 0,
        qkvBias: true,
      },
    });
    const { 'pos_emb.weight': _, ...state } = other.stateDict();
    const path = join(folder, 'other.safetensors');
    await saveTensors(path, { ...state, 'extra.weight': other.posEmb.weight });
    const half = join(folder, 'half.safetensors');
    writeFileSync(half, readFileSync(path).subarray(0, 1000));
    const given = (weights: string) =>
      chapter('chapter06', '--data', 'stand-in', '--weights', weights, '--out', `${weights}-runs`);
    await Promise.all([
      expectOneLine(
        given(path),
        /missing keys: pos_emb\.weight, trf_blocks\.1\..* and \d+ more · unexpected keys: extra\.weight/,
      ),
      expectOneLine(given(half), /not a whole safetensors file/),
    ]);
  });

  it('runs, prints the shapes of the notebook, and leaves plots, adapter and figures', async () => {
    const out = join(folder, 'runs');
    const json = join(folder, 'figures.json');
    const run = await chapter(
      'appendixE',
      ...['--data', 'stand-in', '--random-weights', '--epochs', '0', '--out', out, '--json', json],
    );
    expect(withoutProgress(run.stderr)).to.equal('');
    expect(run.status).to.equal(0);
    for (const line of [
      'torch.Size([8, 109])',
      'torch.Size([8])',
      '130 training batches',
      '19 validation batches',
      '38 test batches',
    ]) {
      expect(run.stdout).to.include(line);
    }
    const { figures } = JSON.parse(readFileSync(json, 'utf8'));
    // mini: 4 blocks of 6 Linears, rank 16: 16 · (in + out) each, and the head's.
    expect(figures.trainable.lora).to.equal(16 * (4 * (4 * 256 + 2 * 640) + 130));
    expect(figures.trainable.frozen).to.equal(0);
    expect(figures.accuracyWrapped).to.deep.equal(figures.accuracyBefore);
    expect(existsSync(join(out, 'appendixE', 'adapter', 'adapter_model.safetensors'))).to.equal(true);
  });
});

describe('the command line of everything that is no chapter', function () {
  this.timeout(120_000);
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'commands-'));
    writeFileSync(join(folder, 'file'), 'One two three. '.repeat(150));
  });
  after(() => rmSync(folder, { recursive: true }));

  it('refuses what the site does not take', async () => {
    await Promise.all([
      expectOneLine(
        program('docs/site/serve.ts', ['--prot', '1']),
        /unknown option --prot; did you mean --port/,
      ),
      expectOneLine(
        program('docs/site/build.ts', ['--port', '1']),
        /unknown option --port; this command takes --help/,
      ),
    ]);
  });

  it('looks at every path before the work', async () => {
    const file = join(folder, 'file');
    const below = join(file, 'below');
    const under = /cannot write to .*file.below: it lies under something that is not a folder/;
    const isFolder = /--json \S+ is a folder; name a file in it/;
    const empty = /cannot read the weights of gpt2-small: the folder \S+ has no model\.safetensors/;
    await Promise.all([
      expectOneLine(program('chapters/commands/data.ts', ['--out', below]), under),
      expectOneLine(program('chapters/commands/pretrain/run.ts', ['--text', file, '--out', below]), under),
      expectOneLine(program('test/bench/run.ts', ['gemm', '--json', folder]), isFolder),
      expectOneLine(program('test/figures/run.ts', ['--json', folder]), isFolder),
      expectOneLine(chapter('chapter05', '--weights', folder), empty),
    ]);
  });

  it('looks at the length of a text, and at weights, before the work', async () => {
    const short = join(folder, 'short.txt');
    writeFileSync(short, 'Too short.');
    const runs = [
      chapter('chapter05', '--text', short),
      chapter('chapter07', '--data', 'own', '--weights', short),
    ];
    await Promise.all([
      expectOneLine(runs[0], /a text of 2 tokens is too short for pieces of 256/),
      expectOneLine(runs[1], /short\.txt is not a whole safetensors file/),
    ]);
    for (const { stdout } of await Promise.all(runs)) expect(stdout).to.equal('');
  });

  it('pretrains, and leaves weights, a plot and figures', async () => {
    const [out, json] = [join(folder, 'runs'), join(folder, 'figures.json')];
    const settings = '--steps 2 --batch-size 1 --eval-every 1'.split(' ');
    const args = ['--text', join(folder, 'file'), '--json', json, ...settings];
    const [run] = await Promise.all([
      program('chapters/commands/pretrain/run.ts', [...args, '--out', out, '--length', '8']),
      expectOneLine(
        program('chapters/commands/pretrain/run.ts', [
          ...args,
          '--out',
          join(folder, 'others'),
          '--length',
          '20',
        ]),
        /\d+ tokens are too few to train on: .* so 1,050 are needed/,
      ),
    ]);
    expect(run.status, run.stderr).to.equal(0);
    for (const name of ['model.safetensors', 'losses.svg', 'checkpoint.safetensors']) {
      expect(existsSync(join(out, name)), name).to.equal(true);
    }
    const { options, figures } = JSON.parse(readFileSync(json, 'utf8'));
    expect(options.steps).to.equal(2);
    expect(figures.history.map(({ step }: { step: number }) => step)).to.deep.equal([1, 2]);
  });
});
