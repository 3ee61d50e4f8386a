import { expect } from 'chai';
import { findBrowser } from '../support/browser.ts';
import { runInBrowser } from './browser/run.ts';

/** The modes of a browser, in one: the same table of operations, kernels and training as in Node. */

const MODES = (process.env.GPU_MODES?.split(',') ?? ['webgpu', 'webgl2']).filter(
  (mode) => mode === 'webgpu' || mode === 'webgl2',
);
/** Fewer would mean that a table was not found. */
const LEAST_TESTS = 350;

describe('a browser', () => {
  for (const mode of MODES) {
    it(`passes the tests of ${mode}`, async function () {
      const browser = findBrowser();
      if (!browser) {
        console.log('    skipped: no Chromium is installed');
        return this.skip();
      }
      const { passed, failures, warnings } = await runInBrowser(browser, mode, 500_000);
      expect(failures.length, [...failures, ...warnings].slice(0, 20).join('\n')).to.equal(0);
      expect(passed).to.be.greaterThan(LEAST_TESTS);
    });
  }
});
