import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { Notebook } from '../../../chapters/common/notebook.ts';
import { defaultValues } from '../../../chapters/common/options.ts';
import { loadGemma } from '../../../chapters/gemma/06-going-on.ts';
import { OPTIONS, run } from '../../../chapters/gemma/run.ts';
import { loadGguf, showLayouts } from '../../../chapters/llama/07-gguf.ts';
import { useBackend } from '../../../lib/index.ts';
import { failure } from '../../support/failure.ts';
import { program } from '../../support/program.ts';

const path = (name: string) => fileURLToPath(new URL(`../../fixtures/${name}`, import.meta.url));
const TINY = path('gemma/tiny/tiny.gguf');

async function linesOf(weights?: string): Promise<string> {
  const lines: string[] = [];
  await run(new Notebook('gemma', (line) => lines.push(line)), {
    ...defaultValues(OPTIONS),
    weights,
  } as never);
  return lines.join('\n');
}

describe('npm run gemma', () => {
  before(() => useBackend('js'));

  it('shows a small model where there is no real one', async () => {
    const printed = await linesOf();
    expect(printed).to.include('268,098,176').and.include('token by token: the same');
    expect(printed).to.include('5 A small one').and.include('--weights PATH');
  });

  it('shows the tokens of the one that is given, and goes on with a text', async () => {
    const printed = await linesOf(TINY);
    expect(printed).to.include('"Every effort moves you": "E" 78, ');
    expect(printed).to.match(/6 It goes on with a text\n─+\nEvery effort moves you./);
  });

  it('refuses a model of another family in one line', async () => {
    expect(await failure(loadGemma(path('llama/tiny')))).to.include('a Gemma 3 is expected');
  });

  it('has its layouts shown by npm run llama too', async () => {
    const lines: string[] = [];
    showLayouts(new Notebook('llama', (line) => lines.push(line)), (await loadGguf(TINY)).model);
    expect(lines.join('\n')).to.match(
      /norm1_after\S+ +\S+post_attention_layernorm\S+ +blk\.0\.post_attention_norm/,
    );
  });
});

describe('npm run generate with a Gemma', () => {
  it('goes on with a text in its own tokens', async () => {
    const options = [
      '--weights',
      TINY,
      '--prompt',
      'every effort',
      '--max-new-tokens',
      '3',
      '--backend',
      'js',
    ];
    const { status, stdout, stderr } = await program('chapters/commands/generate.ts', options);
    expect(stdout).to.match(/^every effort.+\n$/s);
    expect(stderr).to.match(/^\(3 tokens, [\d.]+ a second\)\n$/);
    expect(status).to.equal(0);
  });
});
