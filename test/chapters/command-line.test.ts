import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { GPTModel } from '../../chapters/chapter04/index.ts';
import { saveTensors } from '../../lib/io/checkpoint.ts';

const ROOT = new URL('../../', import.meta.url);

/** Runs a chapter as a user does. */
function chapter(name: string, ...args: string[]) {
  const argv = ['--import', 'tsx', `chapters/${name}/run.ts`, ...args];
  return spawnSync(process.execPath, argv, { cwd: ROOT, encoding: 'utf8' });
}

/** Fails unless the run ended with one line that fits, no stack trace, and a code that is not 0. */
function expectOneLine({ status, stderr }: ReturnType<typeof chapter>, pattern: RegExp) {
  expect(status).to.be.oneOf([1, 2]);
  const lines = stderr.trim().split('\n');
  expect(lines, stderr).to.have.length(1);
  expect(lines[0]).to.match(pattern);
}

describe("chapter 6's command line", function () {
  this.timeout(120_000);
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'chapter06-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  it('names an unknown option and an unknown model', () => {
    expectOneLine(chapter('chapter06', '--rnak', '8'), /unknown option --rnak/);
    expectOneLine(chapter('chapter06', '--model', 'gpt5'), /--model must be one of mini, gpt2-small/);
    expectOneLine(chapter('chapter06', '--rank', '0'), /--rank must be a whole number, at least 1/);
  });

  it('names a data file that is not there, and one that is not the collection', () => {
    expectOneLine(chapter('chapter06', '--data', join(folder, 'none')), /none does not exist/);
    const wrong = join(folder, 'wrong.txt');
    writeFileSync(wrong, 'maybe\thello\n');
    expectOneLine(chapter('chapter06', '--data', wrong), /wrong\.txt.*(ham|label)/);
  });

  it('says when messages are longer than the model can see', () => {
    const run = chapter('chapter06', '--data', 'stand-in', '--max-length', '300', '--random-weights');
    expectOneLine(run, /--max-length 300 is too long: mini sees at most 256 tokens/);
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
    const run = chapter('chapter06', '--data', 'stand-in', '--weights', path);
    expectOneLine(
      run,
      /missing keys: pos_emb\.weight, trf_blocks\.1\..* and \d+ more · unexpected keys: extra\.weight/,
    );
    writeFileSync(path, readFileSync(path).subarray(0, 1000));
    expectOneLine(
      chapter('chapter06', '--data', 'stand-in', '--weights', path),
      /not a whole safetensors file/,
    );
  });

  it('runs, prints the shapes of the notebook, and leaves plots, adapter and figures', () => {
    const out = join(folder, 'runs');
    const json = join(folder, 'figures.json');
    const run = chapter(
      'appendixE',
      ...['--data', 'stand-in', '--random-weights', '--epochs', '0', '--out', out, '--json', json],
    );
    expect(run.stderr).to.equal('');
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
