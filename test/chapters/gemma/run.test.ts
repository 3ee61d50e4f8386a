import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { program } from '../../support/program.ts';

const TINY = fileURLToPath(new URL('../../fixtures/gemma/tiny/tiny.gguf', import.meta.url));

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
