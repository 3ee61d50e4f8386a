import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { Settings } from '../../../chapters/models/settings.ts';
import { wordsInFolder } from '../../../chapters/models/tokeniser.ts';
import { io } from '../../../lib/index.ts';
import { failure } from '../../support/failure.ts';

const { base } = JSON.parse(
  readFileSync(new URL('../../fixtures/models/tokenisers.json', import.meta.url), 'utf8'),
);

/** transformers 5: `_from_pretrained` of tokenization_utils_base.py merges the file into the settings where these list no tokens. */
describe('special_tokens_map.json', () => {
  const config = { bos_token: '<|im_start|>', eos_token: '<|im_start|>', chat_template: '{{ eos_token }}' };
  async function words(map: object, more: object = {}) {
    const files = {
      ...{ 'tokenizer.json': base, 'special_tokens_map.json': map },
      'tokenizer_config.json': { ...config, ...more },
    };
    const contents = Object.entries(files).map(([name, json]) => [
      name,
      new TextEncoder().encode(JSON.stringify(json)),
    ]);
    const folder = await io.folderOfContents(Object.fromEntries(contents), 'a folder');
    return wordsInFolder(folder, new Settings({ model_type: 'gpt2' }, 'config.json'));
  }

  it('names tokens in the place of the settings, as texts or as objects', async () => {
    const { tokeniser, endIds } = await words({ eos_token: '<|im_end|>' });
    expect(tokeniser.named).to.deep.equal({ bos_token: '<|im_start|>', eos_token: '<|im_end|>' });
    expect(endIds).to.deep.equal([tokeniser.special.get('<|im_end|>')]);
    const object = await words({ eos_token: { content: '<|im_end|>', lstrip: false } });
    expect(object.tokeniser.named.eos_token).to.equal('<|im_end|>');
  });

  it('is not looked at where the settings list the tokens', async () => {
    const { tokeniser } = await words({ eos_token: '<|im_end|>', foo: 1 }, { added_tokens_decoder: {} });
    expect(tokeniser.named.eos_token).to.equal('<|im_start|>');
  });

  it('is refused by name where it says what cannot be used', async () => {
    expect(await failure(words({ eos_token: 7 }))).to.match(
      /^eos_token of a folder\/special_tokens_map\.json/,
    );
    expect(await failure(words({ foo: 'x' }))).to.match(/special_tokens_map\.json sets foo/);
    expect(await failure(words({ additional_special_tokens: ['<|none|>'] }))).to.match(
      /special_tokens_map\.json.*additional_special_tokens|additional_special_tokens.*special_tokens_map\.json/,
    );
    await words({ additional_special_tokens: ['<|im_end|>', { content: '<|im_start|>' }] });
  });
});
