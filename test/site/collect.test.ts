import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { build } from 'esbuild';
import { visitForSuite } from './site.ts';

const TIMES = 8;

/** A worker's garbage, by the way that the library has in a browser. */
describe('garbage in a browser', () => {
  const site = visitForSuite();

  it('is collected each time, however soon after the last one, if that is thorough', async () => {
    const from = (name: string) =>
      JSON.stringify(fileURLToPath(new URL(`../../lib/backend/${name}.ts`, import.meta.url)));
    const contents = `
      import { createCollector } from ${from('collect.browser')};
      import { macrotask } from ${from('yieldToRuntime')};
      (async () => {
        const freed = [];
        for (let i = 0; i < ${TIMES}; i++) {
          const garbage = new WeakRef({});
          await macrotask();
          createCollector().collect(true);
          await macrotask();
          freed.push(garbage.deref() === undefined);
        }
        postMessage(freed);
      })();`;
    const bundled = await build({ stdin: { contents, resolveDir: '.' }, bundle: true, write: false });
    const page = await site.open('index.html');
    const freed = await page.evaluate((code) => {
      const worker = new Worker(URL.createObjectURL(new Blob([code])));
      return new Promise((resolve) => {
        worker.onmessage = ({ data }) => resolve(data);
      });
    }, bundled.outputFiles[0].text);
    expect(freed).to.deep.equal(Array(TIMES).fill(true));
    await page.context().close();
  });
});
