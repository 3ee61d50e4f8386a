import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { GPTModel } from '../../../chapters/chapter04/index.ts';
import { modelConfig, tokeniser } from '../../../chapters/chapter05/index.ts';
import {
  customCollate,
  customCollateDraft1,
  customCollateDraft2,
  extractResponse,
  fineTuneOnInstructions,
  formatExample,
  formatInput,
  type InstructionMethod,
  makeInstructionLoaders,
  prepareModel,
  respond,
  saveResponses,
  splitEntries,
} from '../../../chapters/chapter07/index.ts';
import { INSTRUCTIONS, type InstructionEntry, obtain } from '../../../chapters/datasets/index.ts';
import { F, manualSeed, noGrad, type Tensor, tensor, UserError } from '../../../lib/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'chapter07-'));
after(() => rmSync(folder, { recursive: true }));

const greet: InstructionEntry = { instruction: 'Greet.', input: '', output: 'Hello!' };
const add: InstructionEntry = { instruction: 'Add.', input: '1 and 2', output: '3' };

const TINY = { ...modelConfig('mini'), contextLength: 64, embDim: 16, nLayers: 1, nHeads: 2 };

function tiny(): GPTModel {
  manualSeed(7);
  return new GPTModel(TINY);
}

async function failure(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).to.be.instanceOf(UserError);
  return (error as UserError).message;
}

describe('chapter 7: the data', () => {
  it('formats an entry with and without an input', () => {
    expect(formatInput(greet)).to.match(/the request\.\n\n### Instruction:\nGreet\.$/);
    expect(formatExample(add)).to.match(
      /\n\n### Instruction:\nAdd\.\n\n### Input:\n1 and 2\n\n### Response:\n3$/,
    );
  });

  it('divides 1,100 entries into 935, 110 and 55, in order and without loss', () => {
    const entries = Array.from({ length: 1100 }, (_, i) => ({ ...greet, output: String(i) }));
    const { train, test, valid } = splitEntries(entries);
    expect([train.length, test.length, valid.length]).to.deep.equal([935, 110, 55]);
    expect([...train, ...test, ...valid]).to.deep.equal(entries);
  });

  it('has instructions of its own: 120 different ones', async () => {
    const { data: entries } = await obtain(INSTRUCTIONS, { path: 'own' });
    expect(entries).to.have.length(120);
    expect(new Set(entries.map((entry) => formatInput(entry)))).to.have.property('size', 120);
    expect(entries.filter((entry) => entry.input === '')).to.have.length.above(40);
  });

  it('uses them without a network, and says so in one line', async () => {
    const lines: string[] = [];
    const options = { url: 'http://127.0.0.1:1/data.json', cacheFolder: folder };
    const { data: entries } = await obtain(INSTRUCTIONS, { ...options, print: (line) => lines.push(line) });
    expect(entries).to.have.length(120);
    expect(lines).to.have.length(1);
    expect(lines[0]).to.contain('cannot be downloaded').and.to.contain('--data PATH');
    expect(existsSync(join(folder, 'instruction-data.json'))).to.equal(false);
  });

  it('refuses what is missing, damaged, of another schema or too little, each in one line', async () => {
    const saved = (name: string, content: string): string => {
      writeFileSync(join(folder, name), content);
      return join(folder, name);
    };
    const read = (path: string) => failure(obtain(INSTRUCTIONS, { path }));
    expect(await read(join(folder, 'absent.json'))).to.contain('does not exist');
    expect(await read(saved('cut.json', '[{"instruction"'))).to.contain('not readable JSON');
    // Newer versions of Node quote it in their message.
    expect(await read(saved('lines.json', 'instruction,output\n1,2\n'))).to.contain('not readable JSON');
    expect(await read(saved('object.json', '{}'))).to.contain('a list of instructions is expected');
    expect(await read(saved('schema.json', '[{"instruction": "a", "output": "b"}]'))).to.contain('entry 0');
    expect(await read(saved('short.json', JSON.stringify([greet])))).to.contain('at least 20');
    writeFileSync(join(folder, 'instruction-data.json'), '[]');
    const kept = failure(obtain(INSTRUCTIONS, { cacheFolder: folder }));
    expect(await kept).to.contain('is not the file expected');
  });
});

describe('chapter 7: batches', () => {
  const examples = [
    [0, 1, 2, 3, 4],
    [5, 6],
    [7, 8, 9],
  ];
  const P = 50256;

  it('fills up to the longest, moves on by one, and passes over all but the first end', () => {
    const inputs = [
      [0, 1, 2, 3, 4],
      [5, 6, P, P, P],
      [7, 8, 9, P, P],
    ];
    expect(customCollateDraft1(examples).toArray()).to.deep.equal(inputs);
    expect(customCollateDraft2(examples).map((t) => t.toArray())).to.deep.equal([
      inputs,
      [
        [1, 2, 3, 4, P],
        [6, P, P, P, P],
        [8, 9, P, P, P],
      ],
    ]);
    expect(customCollate(examples).map((t) => t.toArray())).to.deep.equal([
      inputs,
      [
        [1, 2, 3, 4, P],
        [6, P, -100, -100, -100],
        [8, 9, P, -100, -100],
      ],
    ]);
  });

  it('cuts rows to the length allowed, and leaves the examples as they were', () => {
    const before = structuredClone(examples);
    const [inputs, targets] = customCollate(examples, { allowedMaxLength: 3 });
    expect(inputs.toArray()).to.deep.equal([
      [0, 1, 2],
      [5, 6, P],
      [7, 8, 9],
    ]);
    expect(targets.toArray()).to.deep.equal([
      [1, 2, 3],
      [6, P, -100],
      [8, 9, P],
    ]);
    expect(examples).to.deep.equal(before);
  });

  it('gives the loss of a batch that the filling takes no part in', () => {
    const model = tiny();
    const lossOf = ([inputs, targets]: [Tensor, Tensor]) =>
      noGrad(() => F.crossEntropy(model.forward(inputs).flatten(0, 1), targets.flatten()).item());
    const short = [5, 6];
    const alone = lossOf(customCollate([short])) * 2; // two targets
    const long = lossOf(customCollate([[0, 1, 2, 3, 4]])) * 5;
    expect(lossOf(customCollate([short, [0, 1, 2, 3, 4]]))).to.be.closeTo((alone + long) / 7, 1e-5);
  });

  it('makes each batch as wide as its longest example', async () => {
    const { data: entries } = await obtain(INSTRUCTIONS, { path: 'own' });
    const loaders = makeInstructionLoaders(splitEntries(entries), { batchSize: 8, maxLength: 64 });
    expect([loaders.train.length, loaders.valid.length, loaders.test.length]).to.deep.equal([12, 1, 2]);
    const widths = Array.from(loaders.train, ([inputs, targets]) => {
      expect(targets.shape).to.deep.equal(inputs.shape);
      return inputs.shape[1];
    });
    expect(new Set(widths).size).to.be.above(3);
    expect(Math.max(...widths)).to.be.at.most(64);
  });
});

describe('chapter 7: training and answers', () => {
  async function tuned(method: InstructionMethod) {
    const { data: entries } = await obtain(INSTRUCTIONS, { path: 'own' });
    const parts = splitEntries(entries.slice(0, 40));
    const loaders = makeInstructionLoaders(parts, { batchSize: 4, maxLength: 64 });
    const model = tiny();
    const before = Object.fromEntries(model.namedParameters());
    const copies = Object.fromEntries(Object.entries(before).map(([name, p]) => [name, p.toFlatArray()]));
    prepareModel(model, method, { rank: 4, alpha: 4 });
    const lines: string[] = [];
    const history = fineTuneOnInstructions(model, loaders, {
      ...{ method, lr: 1e-2, epochs: 1, rank: 4, alpha: 4, seed: 1, evalFreq: 4 },
      ...{ startContext: 'Below', print: (line: string) => void lines.push(line) },
    });
    const changed = Object.keys(before).filter((name) => {
      const now = before[name].toFlatArray();
      return now.some((value, i) => value !== copies[name][i]);
    });
    return { history, changed, lines };
  }

  it('learns with all parameters', async () => {
    const { history, changed, lines } = await tuned('full');
    expect(history.trainLosses.at(-1)).to.be.below(history.trainLosses[0] - 0.5);
    expect(changed).to.include('tok_emb.weight');
    expect(lines[0]).to.match(/^Ep 1 \(Step 000000\): Train loss \d+\.\d{3}, Val loss \d+\.\d{3}$/);
  });

  it('learns with LoRA, and leaves every weight as it was, bit for bit', async () => {
    const { history, changed } = await tuned('lora');
    expect(history.trainLosses.at(-1)).to.be.below(history.trainLosses[0] - 0.1);
    expect(changed).to.deep.equal([]);
  });

  it('computes the last position alone with the same logits', () => {
    const model = tiny().eval();
    const ids = tensor([[11, 314, 716, 2]], { dtype: 'int32' });
    noGrad(() => {
      const whole = model.forward(ids).slice(1, -1); // [1, 1, vocab]
      const last = model.forward(ids, { lastOnly: true });
      expect(last.shape).to.deep.equal(whole.shape);
      expect(last.sub(whole).abs().max().item()).to.be.below(1e-5);
    });
  });

  it('takes the answer out of the text, and stops after so many tokens', () => {
    const prompt = formatInput(greet);
    expect(extractResponse(`${prompt}\n\n### Response:\nHello!\n`, prompt)).to.equal('Hello!');
    const answer = respond(tiny(), greet, 3);
    expect(tokeniser.encode(answer)).to.have.length.within(1, 6);
  });

  it('saves the answers as JSON that reads back', async () => {
    const path = join(folder, 'out', 'answers.json');
    const answered = [{ ...add, model_response: 'three' }];
    await saveResponses(path, answered);
    expect(JSON.parse(readFileSync(path, 'utf8'))).to.deep.equal(answered);
  });
});
