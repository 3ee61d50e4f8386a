import { mkdtempSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { buildSite } from '../../docs/site/build.ts';
import { type ServeOptions, serve } from '../../docs/site/serve.ts';
import { findBrowser } from '../support/browser.ts';

/** The built site, and pages of it in Debian's Chromium. */

let built: Promise<string> | undefined;

/** Builds once for all tests of this process. */
export function builtSite(): Promise<string> {
  built ??= (async () => {
    const folder = mkdtempSync(join(tmpdir(), 'site-'));
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
    await buildSite(folder);
    return folder;
  })();
  return built;
}

export interface Visit {
  url: string;
  open(path: string, viewport?: { width: number; height: number }): Promise<Page>;
  context(options?: Parameters<Browser['newContext']>[0]): Promise<BrowserContext>;
  /** What went wrong in any page. */
  faults: string[];
  close(): Promise<void>;
}

/** A server and a browser; undefined where no browser is installed, which the test says. */
export async function visit(options: ServeOptions = {}): Promise<Visit | undefined> {
  const command = findBrowser();
  if (!command) {
    console.log('    skipped: no Chromium is installed');
    return undefined;
  }
  const { server, url } = await serve(await builtSite(), options);
  const executablePath = command.startsWith('/') ? command : `/usr/bin/${command}`;
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  const faults: string[] = [];
  const watch = (context: BrowserContext) => {
    context.setDefaultTimeout(60_000);
    context.on('weberror', (error) => void faults.push(String(error.error())));
    return context;
  };
  return {
    url,
    faults,
    context: async (given) => watch(await browser.newContext(given)),
    async open(path, viewport = { width: 1280, height: 900 }) {
      const page = await watch(await browser.newContext({ viewport })).newPage();
      await page.goto(url + path);
      return page;
    },
    async close() {
      await browser.close();
      await closed(server);
    },
  };
}

/** A visit for all tests of a suite, which are skipped where no browser is installed. */
export function visitForSuite(): Visit {
  const site = {} as Visit;
  before(async function () {
    const found = await visit();
    if (!found) return this.skip();
    Object.assign(site, found);
  });
  after(() => site.close?.());
  return site;
}

function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
