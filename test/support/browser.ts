import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Opens a page in a browser without a window, and waits for what it reports. */

const CANDIDATES = [process.env.CHROMIUM, 'chromium', 'chromium-browser', 'google-chrome'];

/** The command of a browser that is installed here, if one is. */
export function findBrowser(): string | undefined {
  return CANDIDATES.find((name) => name && spawnSync(name, ['--version']).status === 0);
}

const FLAGS = [
  '--headless=new',
  '--no-sandbox', // it refuses to run as root, as in a container, with one
  '--no-first-run',
  '--disable-dev-shm-usage',
];
/** Memory is shared between threads on pages of this kind only. */
const ISOLATED = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};
const TYPES: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.ts': 'text/javascript',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
};

export interface PageOptions {
  /** Text by path; `/` is the page, and what is not there is asked of `folder`. */
  readonly files: ReadonlyMap<string, string>;
  /** From where other paths are read. */
  readonly folder?: URL;
  readonly flags?: readonly string[];
  /** `false` serves the page without the headers that let threads share memory. */
  readonly isolated?: boolean;
  readonly timeoutMs: number;
}

/** Attempts to remove the browser's folder, and the time between them. */
const [ATTEMPTS, ATTEMPT_MS] = [100, 200];

/** What the page sends to `/report` with `fetch`, as JSON. @throws if it sends nothing in time. */
export async function reportOf<Report>(browser: string, options: PageOptions): Promise<Report> {
  const { flags = [], isolated = true, timeoutMs } = options;
  const profile = mkdtempSync(join(tmpdir(), 'browser-'));
  let server: Server | undefined;
  let running: ChildProcess | undefined;
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise((resolve, reject) => {
      server = createServer(async (request, response) => {
        const path = request.url ?? '/';
        if (request.method === 'POST') resolve(JSON.parse(await textOf(request)));
        const body = contentOf(path, options);
        const type = path === '/' ? 'text/html' : (TYPES[extname(path)] ?? 'application/octet-stream');
        const headers = { ...(isolated ? ISOLATED : {}), 'Content-Type': type };
        response.writeHead(body === undefined ? 404 : 200, headers).end(body);
      });
      server.listen(0, '127.0.0.1', () => {
        const { port } = server!.address() as AddressInfo;
        const all = [...FLAGS, ...flags, `--user-data-dir=${profile}`, `http://127.0.0.1:${port}/`];
        running = spawn(browser, all, { stdio: 'ignore' });
        running.once('exit', (code) => reject(new Error(`the browser ended by itself, with ${code}`)));
      });
      timer = setTimeout(() => reject(new Error(`no report after ${timeoutMs} ms`)), timeoutMs);
    });
  } finally {
    clearTimeout(timer);
    server?.close();
    server?.closeAllConnections();
    if (running && running.exitCode === null) {
      const ended = new Promise((resolve) => running!.once('exit', resolve));
      running.kill();
      await ended;
    }
    await removeFolder(profile);
  }
}

/**
 * The browser's helpers go on writing for a moment, longer where the machine is busy. What they have added is seen by a
 * new attempt only: `maxRetries` looks at a folder once.
 */
async function removeFolder(folder: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return rmSync(folder, { recursive: true, force: true });
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
      await delay(ATTEMPT_MS);
    }
  }
}

function contentOf(path: string, { files, folder }: PageOptions): string | Buffer | undefined {
  const text = files.get(path);
  if (text !== undefined || !folder) return text;
  try {
    return readFileSync(new URL(`.${path}`, folder));
  } catch {
    return undefined;
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text;
}
