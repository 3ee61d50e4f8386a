/** `npm run site`: builds the site and serves it, with the headers that let its workers share memory. */

import { readFileSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { gzipSync } from 'node:zlib';
import { isProgram } from '../../chapters/common/cli.ts';
import { readCommandLine, runMain } from '../../chapters/common/command-line.ts';
import { buildSite } from './build.ts';
import { ROOT } from './bundle.ts';

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
};

export interface ServeOptions {
  port?: number;
  /** The folder of the server in which the site is to be found: `/`, or `/book/`. */
  base?: string;
  /** `false` leaves the headers out, as a host of static files does. */
  isolated?: boolean;
}

/** Serves a folder; resolves to the server and the address of the site. */
export function serve(folder: string, options: ServeOptions = {}): Promise<{ server: Server; url: string }> {
  const { port = 0, base = '/', isolated = true } = options;
  const isolation = {
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Embedder-Policy': 'require-corp',
  };
  const server = createServer((request, response) => {
    const name = nameOf(request.url ?? '/', base);
    if (name === undefined) {
      response.writeHead(400, { 'Content-Type': 'text/plain' }).end('That is no address.');
      return;
    }
    const file = join(folder, normalize(`/${name}`));
    const type = TYPES[extname(file)];
    const headers = {
      ...(isolated && isolation),
      'Content-Type': type ?? 'application/octet-stream',
      'Cache-Control': 'no-cache',
    };
    if (!name || !statSync(file, { throwIfNoEntry: false })?.isFile()) {
      response.writeHead(404, { ...headers, 'Content-Type': 'text/plain' }).end('There is no such page.');
      return;
    }
    const body = readFileSync(file);
    if (type === undefined) response.writeHead(200, { ...headers, 'Content-Length': body.length }).end(body);
    else response.writeHead(200, { ...headers, 'Content-Encoding': 'gzip' }).end(gzipSync(body));
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      resolve({ server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${base}` });
    });
  });
}

/** The file that an address asks for, '' for one outside the site; undefined if it is no address at all, such as `/%zz`. */
function nameOf(url: string, base: string): string | undefined {
  try {
    const pathname = decodeURIComponent(url.replace(/[?#].*$/s, ''));
    if (pathname.includes('\0')) return undefined;
    return pathname.startsWith(base) ? pathname.slice(base.length) || 'index.html' : '';
  } catch {
    return undefined;
  }
}

if (isProgram(import.meta.url)) {
  await runMain(async () => {
    const { port } = await readCommandLine({
      command: 'npm run site --',
      summary: 'Builds the book as a site and serves it on this machine.',
      options: {
        port: { type: 'number', help: 'of the address', default: 8080, integer: true, min: 0, max: 65_535 },
      },
    });
    const folder = join(ROOT, 'docs', 'site', 'build');
    await buildSite(folder);
    const { url } = await serve(folder, { port });
    console.log(`The book is at ${url}`);
  });
}
