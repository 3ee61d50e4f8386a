import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { OPTIONS as APPENDIX_E, run as runAppendixE } from '../../../chapters/appendixE/run.ts';
import { type Method, readClassifierSettings } from '../../../chapters/chapter06/index.ts';
import { OPTIONS, type Options, run } from '../../../chapters/chapter06/run.ts';
import { askingOf } from '../../../chapters/commands/adapter/asking.ts';
import { loadAnyClassifier } from '../../../chapters/commands/adapter/base-model.ts';
import { MERGE } from '../../../chapters/commands/adapter/merge.ts';
import { Notebook } from '../../../chapters/common/notebook.ts';
import { COMMON_OPTIONS, defaultValues } from '../../../chapters/common/options.ts';
import { loadModel } from '../../../chapters/models/index.ts';
import { noGrad, tensor, useBackend } from '../../../lib/index.ts';
import { expectClose } from '../../support/close.ts';
import { failure } from '../../support/failure.ts';
import { TINY_GEMMA, TINY_LLAMA } from '../../support/tiny-models.ts';

const TEXTS = ['win cash now', 'see you at home', 'call', 'free'];

describe('chapter 6 with newer models', function () {
  this.timeout(120_000);
  const folder = mkdtempSync(join(tmpdir(), 'chapter06-newer-'));
  after(() => rmSync(folder, { recursive: true }));
  const data = join(folder, 'messages.tsv');
  before(async () => {
    await useBackend('wasm');
    const rows = Array.from({ length: 20 }, (_, i) => [`spam\twin cash ${i}`, `ham\tsee you at ${i}`]);
    writeFileSync(data, `${rows.flat().join('\n')}\n`);
  });

  const silent = (chapter: string) => new Notebook(chapter, () => {});
  const given = (weights: string, out: string, more: Record<string, unknown> = {}) => ({
    ...{ data, weights, out: join(folder, out), batchSize: 4, epochs: 2, lr: 1e-2, ...more },
  });
  const options = (...args: Parameters<typeof given>) =>
    ({ ...defaultValues({ ...OPTIONS, ...COMMON_OPTIONS }), ...given(...args) }) as unknown as Options;

  for (const [name, weights] of [
    ['gemma', TINY_GEMMA],
    ['llama', TINY_LLAMA],
    ['gemma-gguf', join(TINY_GEMMA, 'tiny.gguf')],
  ]) {
    it(`trains LoRA beside ${name}; the adapter answers again, alone and merged`, async () => {
      const nb = silent('chapter06');
      await run(nb, options(weights, name));
      const [{ method, history }] = nb.figures.results as {
        method: Method;
        history: { stepLosses: number[] };
      }[];
      expect(method).to.equal('lora');
      expect(history.stepLosses.at(-1)).to.be.below(history.stepLosses[0]);

      const adapter = join(folder, name, 'chapter06', 'adapter');
      // The base by its option, and by what the adapter's own configuration says.
      const asked = await Promise.all(
        [
          { adapter, weights, model: undefined },
          { adapter, weights: undefined, model: undefined },
        ].map(async (each) => askingOf(await loadAnyClassifier(each))),
      );
      const [logits, again] = asked.map(({ logitsOf }) => logitsOf(TEXTS).toFlatArray() as number[]);
      expect(logits).to.eql(again);
      expect(asked[0].labels).to.eql(['ham', 'spam']);

      const out = join(folder, `${name}-merged`, 'model.safetensors');
      await MERGE.run({ adapter, weights, out, dtype: 'F32' }, []);
      const merged = await loadModel(join(folder, `${name}-merged`));
      const { tokeniser } = await loadModel(weights);
      const { maxLength } = readClassifierSettings(adapter)!;
      TEXTS.forEach((text, i) => {
        const whole = tokeniser.forWholeTexts().encode(text).slice(0, maxLength);
        const ids = tensor([whole], { dtype: 'int32' });
        const row = noGrad(() => merged.model.forward(ids, { lastOnly: true })).toFlatArray() as number[];
        expectClose(row, logits.slice(2 * i, 2 * i + 2), 1e-4, text);
      });
      const config = JSON.parse(readFileSync(join(folder, `${name}-merged`, 'config.json'), 'utf8'));
      expect(config.architectures[0]).to.match(/^(Gemma3Text|Llama)ForSequenceClassification$/);
    });
  }

  it('refuses what is for GPT-2 alone, before the work', async () => {
    for (const method of ['full', 'last-block', 'head', 'all'])
      expect(await failure(run(silent('chapter06'), options(TINY_GEMMA, 'refused', { method })))).to.match(
        /--method \S+ is for mini and GPT-2/,
      );
    const plain = run(silent('chapter06'), options(TINY_GEMMA, 'refused', { plain: true }));
    expect(await failure(plain)).to.match(/^--plain is for mini and GPT-2/);
  });

  it('is followed step by step in appendix E', async () => {
    const lines: string[] = [];
    const nb = new Notebook('appendixE', (line) => lines.push(line));
    await runAppendixE(nb, {
      ...(defaultValues({ ...APPENDIX_E, ...COMMON_OPTIONS }) as never as Options),
      ...(given(TINY_LLAMA, 'appendixE') as object),
    });
    const { before, wrapped } = { before: nb.figures.accuracyBefore, wrapped: nb.figures.accuracyWrapped };
    expect(wrapped).to.eql(before);
    expect((nb.figures.merge as { merged: number }).merged).to.be.below(1e-4);
    expect(lines.join('\n')).to.include('Singular values of ΔW').and.not.to.include('Attention in block');
  });
});
