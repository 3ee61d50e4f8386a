import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect } from 'chai';
import { find, indexOf } from '../../docs/site/client/search.ts';
import { PAGES, START } from '../../docs/site/pages.ts';
import { builtSite, visit, visitForSuite } from './site.ts';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const PHONE = { width: 360, height: 740 };
const FIRST_PAINT_KB = 100;
const FIRST_ANSWER_KB = 400;

interface Axe {
  run(): Promise<{ violations: { id: string; nodes: { html: string; failureSummary: string }[] }[] }>;
}

describe('the pages', () => {
  let folder: string;
  before(async () => {
    folder = await builtSite();
  });

  it('are complete without JavaScript, and lead nowhere else', () => {
    const pages = readdirSync(folder).filter((name) => name.endsWith('.html'));
    for (const name of pages) {
      const html = readFileSync(join(folder, name), 'utf8');
      expect(html, name).to.match(/<h1/);
      for (const [, to] of html.matchAll(/(?:href|src)="([^"#][^"]*)"/g)) {
        if (/^(https?|data):/.test(to)) continue;
        expect(to, name).to.not.match(/^\//);
        const [file, id] = to.split('#');
        expect(existsSync(join(folder, file)), `${name} leads to ${to}`).to.equal(true);
        if (id) expect(readFileSync(join(folder, file), 'utf8'), `${name} → ${to}`).to.contain(`id="${id}"`);
      }
    }
  });

  it('can be searched', async () => {
    const index = await indexOf(JSON.parse(readFileSync(join(folder, 'search.json'), 'utf8')));
    expect(find('merging', index)[0].url).to.equal('appendixE.html#merging');
    expect(find('mergin', index)[0].url).to.equal('appendixE.html#merging');
    expect(find('no such wxrd anywhere', index)).to.deep.equal([]);
  });

  describe('in a browser', () => {
    const site = visitForSuite();

    for (const theme of ['light', 'dark'] as const) {
      it(`have no fault that axe finds, ${theme}`, async () => {
        const context = await site.context({ colorScheme: theme });
        const page = await context.newPage();
        for (const { name } of [START, ...PAGES]) {
          await page.goto(`${site.url}${name}.html`);
          if (name === 'lab') await page.getByText('A has not moved; B is zero.').waitFor();
          if (name.startsWith('chapter')) await page.getByRole('button', { name: 'Edit' }).first().waitFor();
          await page.addScriptTag({ path: AXE });
          const { violations } = await page.evaluate(() => (window as unknown as { axe: Axe }).axe.run());
          const said = violations.map(
            ({ id, nodes }) => `${id}: ${nodes[0].html} ${nodes[0].failureSummary}`,
          );
          expect(said, name).to.deep.equal([]);
        }
        await context.close();
      });
    }

    it('fit on a phone', async () => {
      const context = await site.context({ viewport: PHONE });
      const page = await context.newPage();
      for (const { name } of [START, ...PAGES]) {
        await page.goto(`${site.url}${name}.html`);
        if (name === 'lab') await page.getByText('A has not moved; B is zero.').waitFor();
        const width = await page.evaluate(() => document.documentElement.scrollWidth);
        expect(width, name).to.be.at.most(PHONE.width);
      }
      await context.close();
    });

    it('the first message is classified, by keyboard, within the bytes allowed', async () => {
      const context = await site.context();
      const page = await context.newPage();
      let bytes = 0;
      const session = await context.newCDPSession(page);
      await session.send('Network.enable');
      session.on('Network.loadingFinished', ({ encodedDataLength }) => {
        bytes += encodedDataLength;
      });
      await page.goto(site.url, { waitUntil: 'networkidle' });
      expect(bytes / 1000).to.be.below(FIRST_PAINT_KB);
      let fetched = 0;
      context.on('response', async (response) => {
        const { responseBodySize } = await response.request().sizes();
        if (!response.url().includes('mini')) fetched += responseBodySize;
      });
      const isThere = () => page.evaluate(() => document.activeElement?.textContent === 'Load the model');
      for (let i = 0; i < 60 && !(await isThere()); i++) await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      await page.getByLabel('Answer').getByText('spam', { exact: true }).waitFor();
      await page.getByLabel('Message').fill('Are we still on for dinner tonight?');
      await page.getByLabel('Answer').getByText('not spam').waitFor();
      console.log(`    ${((bytes + fetched) / 1000).toFixed(0)} KB and mini until the first answer`);
      expect((bytes + fetched) / 1000).to.be.below(FIRST_ANSWER_KB);
      await context.close();
    });
  });

  for (const base of ['/', '/a/folder/']) {
    it(`on a host without headers, at ${base}, the service worker isolates them`, async function () {
      const site = await visit({ isolated: false, base });
      if (!site) return this.skip();
      try {
        const page = await site.open('chapter03.html');
        await page.waitForFunction(() => crossOriginIsolated);
        const panel = page.locator('[data-panel="run"]');
        await panel.getByRole('button', { name: 'Run' }).click();
        await panel.getByText('Done.').waitFor();
        expect(await panel.getByText(/^Engine: wasm, \d+ threads/).count()).to.equal(1);
      } finally {
        await site.close();
      }
    });
  }

  it('without isolation everything runs on one thread', async function () {
    const site = await visit({ isolated: false });
    if (!site) return this.skip();
    try {
      const context = await site.context({ serviceWorkers: 'block' });
      const page = await context.newPage();
      await page.goto(`${site.url}chapter03.html`);
      const panel = page.locator('[data-panel="run"]');
      await panel.getByRole('button', { name: 'Run' }).click();
      await panel.getByText('Done.').waitFor();
      expect(await panel.getByText('Engine: wasm, 1 thread, 128-bit vectors (asked for)').count()).to.equal(
        1,
      );
    } finally {
      await site.close();
    }
  });
});
