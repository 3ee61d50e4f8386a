import { mkdtempSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Page } from 'playwright-core';
import { formatTable } from '../../chapters/common/table.ts';
import { buildSite } from '../../docs/site/build.ts';
import { serve } from '../../docs/site/serve.ts';
import { UserError } from '../../lib/index.ts';
import { findBrowser } from '../support/browser.ts';

/** KB that the site's server sends for a visit: to a browser that has nothing, and to the same browser the next time. */
export interface SiteRow {
  visit: string;
  coldKB: number;
  warmKB: number;
}

/** Pages, and what a visitor does there after reading. */
const VISITS: { visit: string; page: string; act?: (page: Page) => Promise<unknown> }[] = [
  { visit: 'the start page is read', page: 'index.html' },
  { visit: 'chapter 3 is read', page: 'chapter03.html' },
  { visit: 'chapter 3 is run', page: 'chapter03.html', act: run },
  { visit: 'chapter 4 is run', page: 'chapter04.html', act: run },
  {
    visit: 'a message is classified with `mini` on the start page',
    page: 'index.html',
    act: async (page) => {
      await page.getByRole('button', { name: 'Load the model' }).click();
      await page.getByLabel('Answer').getByText('spam', { exact: true }).waitFor();
    },
  },
  {
    visit: 'the lab is opened, with `mini`',
    page: 'lab.html',
    act: (page) => page.getByText('A has not moved; B is zero.').waitFor(),
  },
];

async function run(page: Page): Promise<void> {
  const panel = page.locator('[data-panel="run"]');
  await panel.getByRole('button', { name: 'Run' }).click();
  await panel.getByText('Done.').waitFor();
}

/** What the site costs its host, by visit. The pages are sent anew each time; a host that knows ETags sends less. */
export async function site(): Promise<SiteRow[]> {
  const browserPath = findBrowser();
  if (!browserPath) throw new UserError('no browser was found: install Chromium, or name one in CHROMIUM');
  const folder = mkdtempSync(join(tmpdir(), 'site-'));
  await buildSite(folder);
  // As a host of static files serves it: the service worker does the rest.
  const { server, url } = await serve(folder, { isolated: false });
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket));
  const sent = () => [...sockets].reduce((sum, { bytesWritten }) => sum + bytesWritten, 0);
  const executablePath = browserPath.startsWith('/') ? browserPath : `/usr/bin/${browserPath}`;
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  const rows: SiteRow[] = [];
  for (const { visit, page: name, act } of VISITS) {
    const context = await browser.newContext();
    context.setDefaultTimeout(120_000);
    const visitKB = async () => {
      const before = sent();
      const page = await context.newPage();
      await page.goto(url + name, { waitUntil: 'networkidle' });
      await page.waitForFunction(() => crossOriginIsolated);
      await act?.(page);
      await page.waitForLoadState('networkidle');
      await page.close();
      return Math.ceil((sent() - before) / 1000);
    };
    rows.push({ visit, coldKB: await visitKB(), warmKB: await visitKB() });
    await context.close();
  }
  await browser.close();
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
  const lines = rows.map(({ visit, coldKB, warmKB }) => [visit, `${coldKB}`, `${warmKB}`]);
  console.log(formatTable(['visit', 'first, KB', 'next, KB'], lines));
  return rows;
}
