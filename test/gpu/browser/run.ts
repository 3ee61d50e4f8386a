import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleForBrowser } from './bundle.ts';

/** Runs the tests of one mode in a browser without a window, on a software driver. */

export interface Report {
  readonly passed: number;
  /** Title and message of each. */
  readonly failures: readonly string[];
  readonly warnings: readonly string[];
}

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
  '--js-flags=--expose-gc',
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--enable-unsafe-swiftshader',
  '--use-angle=swiftshader',
];
const PAGE = `<!doctype html><script>
  const report = (failure) =>
    fetch('/report', { method: 'POST', body: JSON.stringify({ passed: 0, failures: [failure], warnings: [] }) });
  const worker = new Worker('/tests.js', { type: 'module' });
  worker.onerror = ({ message }) => report('the tests do not start: ' + message);
</script>`;
/** Memory is shared between threads on pages of this kind only. */
const ISOLATED = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

export async function runInBrowser(browser: string, mode: string, timeoutMs: number): Promise<Report> {
  const scripts = await bundleForBrowser(mode);
  const profile = mkdtempSync(join(tmpdir(), 'browser-'));
  let server: Server | undefined;
  let running: ChildProcess | undefined;
  try {
    return await new Promise((resolve, reject) => {
      server = createServer(async (request, response) => {
        if (request.method === 'POST') resolve(JSON.parse(await textOf(request)));
        const [type, body] = answerTo(request.url ?? '/', scripts);
        response.writeHead(body === undefined ? 404 : 200, { ...ISOLATED, 'Content-Type': type }).end(body);
      });
      server.listen(0, '127.0.0.1', () => {
        const { port } = server!.address() as AddressInfo;
        const flags = [...FLAGS, `--user-data-dir=${profile}`, `http://127.0.0.1:${port}/`];
        running = spawn(browser, flags, { stdio: 'ignore' });
        running.once('exit', (code) => reject(new Error(`the browser ended by itself, with ${code}`)));
      });
      setTimeout(() => reject(new Error(`no report after ${timeoutMs} ms`)), timeoutMs).unref();
    });
  } finally {
    server?.close();
    server?.closeAllConnections();
    if (running && running.exitCode === null) {
      const ended = new Promise((resolve) => running!.once('exit', resolve));
      running.kill();
      await ended;
    }
    rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

function answerTo(url: string, scripts: Map<string, string>): [type: string, body: string | undefined] {
  if (url === '/') return ['text/html', PAGE];
  if (url.startsWith('/fixtures/')) {
    return ['application/json', readFileSync(new URL(`../..${url}`, import.meta.url), 'utf8')];
  }
  return ['text/javascript', scripts.get(url)];
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text;
}
