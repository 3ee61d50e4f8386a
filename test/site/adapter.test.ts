import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { prepareMessages } from '../../chapters/chapter06/index.ts';
import { loadWithAdapter } from '../../chapters/commands/adapter/base-model.ts';
import { classifierOf } from '../../chapters/commands/adapter/classify.ts';
import { ACCURACY } from '../../docs/site/client/classify.ts';

/** The adapter of the start page, in half precision, on the real messages: a copy named by SMS_COLLECTION, or a download. */
describe('the adapter that comes with the site', () => {
  it('gets as many messages right as the start page says', async function () {
    const prepared = await prepareMessages({ data: process.env.SMS_COLLECTION, seed: 42, print: () => {} });
    if (prepared.synthetic) {
      console.log(
        '    skipped: the SMS Spam Collection cannot be downloaded, and SMS_COLLECTION names no copy',
      );
      return this.skip();
    }
    const adapter = fileURLToPath(new URL('../../docs/site/adapter', import.meta.url));
    const loaded = await loadWithAdapter({ adapter, model: undefined, weights: undefined });
    const classify = classifierOf(loaded);
    const { test } = prepared.parts;
    const right = test.filter(({ text, label }) => classify([text])[0].label === ['not spam', 'spam'][label]);
    expect({ right: right.length, of: test.length }).to.deep.equal(ACCURACY);
  });
});
