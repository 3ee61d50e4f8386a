import type { Suite } from 'mocha';
import { useBackend } from '../../lib/index.ts';

/**
 * Every file's tests begin on the library's own choice of engine, whatever those before them have chosen: a file run by
 * itself and in the whole suite gives the same bits. (Loaded by .mocharc.json.)
 */
export const mochaHooks = {
  beforeAll(this: Mocha.Context) {
    const root = this.test!.parent as Suite;
    for (const suite of root.suites) {
      suite.beforeAll('the engine', async () => {
        await useBackend('wasm');
      });
      // Before the hooks of the file itself, which may choose another one.
      const hooks = (suite as unknown as { _beforeAll: unknown[] })._beforeAll;
      hooks.unshift(hooks.pop());
    }
  },
};
