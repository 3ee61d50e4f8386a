import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { serve } from '../../docs/site/serve.ts';

describe('the server of the site', () => {
  let folder: string;
  let server: Server;
  let port: number;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'serve-'));
    writeFileSync(join(folder, 'index.html'), 'start');
    writeFileSync(join(folder, 'a page.txt'), 'a page');
    const served = await serve(folder);
    server = served.server;
    port = Number(new URL(served.url).port);
  });
  after(() => {
    server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const status = (path: string) =>
    new Promise<number | undefined>((resolve, reject) => {
      const asked = request({ port, path, host: '127.0.0.1' }, (answer) => {
        answer.resume();
        answer.on('end', () => resolve(answer.statusCode));
      });
      asked.on('error', reject).end();
    });

  for (const [path, expected] of [
    ['/', 200],
    ['/?query', 200],
    ['/a%20page.txt', 200],
    ['/none.html', 404],
    ['/../package.json', 404],
    ['/%2e%2e/%2e%2e/etc/passwd', 404],
    ['/%zz', 400],
    ['/%', 400],
    ['/%00', 400],
    ['//', 404],
  ] as const) {
    it(`answers ${path} with ${expected}`, async () => {
      expect(await status(path)).to.equal(expected);
      expect(await status('/')).to.equal(200); // and goes on
    });
  }
});
