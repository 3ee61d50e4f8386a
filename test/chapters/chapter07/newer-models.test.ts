import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { type NewerBase, obtainBase } from '../../../chapters/chapter05/index.ts';
import {
  AnswerDataset,
  collateAnswers,
  formatInput,
  formatResponse,
  makeAnswerLoaders,
  respond,
  splitEntries,
} from '../../../chapters/chapter07/index.ts';
import { type InstructionRunOptions, OPTIONS } from '../../../chapters/chapter07/options.ts';
import { run } from '../../../chapters/chapter07/run.ts';
import { Interrupted } from '../../../chapters/common/command-line.ts';
import { Notebook } from '../../../chapters/common/notebook.ts';
import { COMMON_OPTIONS, defaultValues } from '../../../chapters/common/options.ts';
import { io, useBackend } from '../../../lib/index.ts';
import { failure } from '../../support/failure.ts';
import { TINY_GEMMA, withLongContext } from '../../support/tiny-models.ts';

const ENTRIES = Array.from({ length: 24 }, (_, i) => ({
  instruction: `Add one to ${i}.`,
  input: i % 2 === 0 ? '' : `${i}`,
  output: `${i + 1}`,
}));

describe('chapter 7 with a newer model', () => {
  const folder = mkdtempSync(join(tmpdir(), 'chapter07-newer-'));
  after(() => rmSync(folder, { recursive: true }));
  const data = join(folder, 'entries.json');
  const weights = join(folder, 'gemma');
  before(async () => {
    await useBackend('wasm');
    writeFileSync(data, JSON.stringify(ENTRIES));
    withLongContext(TINY_GEMMA, weights);
  });

  /** A run of six steps; `stopAt` is the step after which Ctrl-C is pressed. */
  async function tuned(out: string, more: Partial<InstructionRunOptions> = {}, stopAt?: number) {
    const lines: string[] = [];
    const nb = new Notebook('chapter07', (line) => {
      lines.push(line);
      if (stopAt !== undefined && line.includes(`(Step ${String(stopAt).padStart(6, '0')})`))
        process.emit('SIGINT', 'SIGINT');
    });
    const options = {
      ...defaultValues({ ...OPTIONS, ...COMMON_OPTIONS }),
      ...{ data, weights, out: join(folder, out), batchSize: 3, epochs: 1, evalFreq: 1, lr: 1e-2 },
      ...{ answers: 3, maxNewTokens: 4, ...more },
    } as unknown as InstructionRunOptions;
    await run(nb, options);
    return { nb, lines, folder: join(folder, out, 'chapter07') };
  }

  it('learns with LoRA, shows answers before and after, and saves an adapter that answers the same', async () => {
    const { nb, lines, folder: out } = await tuned('whole');
    const [result] = nb.figures.results as { method: string; valLoss: number }[];
    expect(result.method).to.equal('lora');
    const history = nb.figures['history-lora'] as { valLosses: number[] };
    expect(result.valLoss).to.be.below(history.valLosses[0]);
    expect(lines.filter((line) => /^ {2}(before|after) /.test(line))).to.have.length(4);
    const answered = JSON.parse(readFileSync(join(out, 'instruction-data-with-response.json'), 'utf8'));
    expect(answered).to.have.length(2); // the test part has no more
    const base = (await obtainBase({ model: 'mini', weights })) as NewerBase;
    const model = await base.fresh();
    for (const entry of answered) expect(respond(model, entry, 4, base)).to.equal(entry.base_response);
    expect(io.loadAdapter(join(out, 'adapter'), model).base).to.equal(weights);
    for (const entry of answered) expect(respond(model, entry, 4, base)).to.equal(entry.model_response);
  });

  it('is stopped by Ctrl-C and goes on to the same bits', async () => {
    const whole = await tuned('again');
    let stopped: unknown;
    try {
      await tuned('stopped', {}, 2);
    } catch (error) {
      stopped = error;
    }
    expect(stopped).to.be.instanceOf(Interrupted);
    const resumed = await tuned('stopped', { resume: true });
    const bytes = (out: string) => readFileSync(join(out, 'adapter', 'adapter_model.safetensors'));
    expect(bytes(resumed.folder).equals(bytes(whole.folder))).to.equal(true);
  });

  it('refuses a method that would change its matrices, and an instruction that it does not see whole', async () => {
    expect(await failure(tuned('full', { method: 'full' }))).to.match(/^--method full is for mini and GPT-2/);
    const short = withLongContext(TINY_GEMMA, join(folder, 'short'), 32);
    expect(await failure(tuned('short', { weights: short }))).to.match(/sees at most 32: shorten it$/);
  });

  it('learns the answers alone, cut into tokens as they are when the model is asked', async () => {
    const base = (await obtainBase({ model: 'mini', weights })) as NewerBase;
    const [entry] = ENTRIES;
    const { prompt, answer } = new AnswerDataset([entry], base.tokeniser).get(0);
    expect(base.tokeniser.decode(prompt.slice(1))).to.equal(formatInput(entry));
    expect(base.tokeniser.decode(answer)).to.equal(formatResponse(entry));
    const { train } = makeAnswerLoaders(splitEntries(ENTRIES), base, 3);
    for (const [inputs, targets] of train) {
      const [rows, wanted] = [inputs, targets].map((each) => each.toArray() as number[][]);
      rows.forEach((row, i) => {
        const learnt = wanted[i].filter((id) => id !== -100);
        const text = base.tokeniser.decode(learnt.slice(0, -1));
        expect(text).to.match(/^\n\n### Response:\n\d+$/);
        expect(learnt.at(-1)).to.equal(base.endIds[0]);
        expect(row[0]).to.equal(2);
      });
    }
  });

  it('has a target for each token of an answer and for its end, whatever the lengths', () => {
    const tokens = (minLength: number) =>
      fc.array(fc.integer({ min: 3, max: 9 }), { minLength, maxLength: 6 });
    const example = fc.record({ prompt: tokens(1), answer: tokens(0) });
    fc.assert(
      fc.property(fc.array(example, { minLength: 1, maxLength: 4 }), (examples) => {
        const [inputs, targets] = collateAnswers(examples, { padTokenId: 1 });
        expect(inputs.shape).to.eql(targets.shape);
        (targets.toArray() as number[][]).forEach((row, i) => {
          expect(row.filter((id) => id !== -100)).to.eql([...examples[i].answer, 1]);
        });
      }),
    );
  });
});
