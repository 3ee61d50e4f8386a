import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer, request as forward, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { hubFile } from '../../../chapters/datasets/index.ts';
import { failure } from '../../support/failure.ts';

const CONTENT = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 7919) % 251));
const SHA256 = createHash('sha256').update(CONTENT).digest('hex');
const COMMIT = 'c0ffee';

describe('a file of the Hugging Face hub', () => {
  let server: Server;
  let endpoint: string;
  let home: string;
  /** What was asked for, and what is wrong with the answers. */
  let asked: { method?: string; range?: string; authorization?: string }[];
  let fault: { cutAt?: number; damaged?: boolean; status?: number } = {};

  beforeEach(async () => {
    asked = [];
    fault = {};
    home = mkdtempSync(join(tmpdir(), 'hub-'));
    server = createServer((request, response) => {
      const { range, authorization } = request.headers;
      asked.push({ method: request.method, range, authorization });
      if (fault.status) return response.writeHead(fault.status).end();
      const from = Number(/bytes=(\d+)-/.exec(range ?? '')?.[1] ?? 0);
      const body = fault.damaged ? Buffer.alloc(CONTENT.length) : CONTENT;
      const headers = { etag: `"${SHA256}"`, 'x-repo-commit': COMMIT, 'content-length': body.length - from };
      response.writeHead(from > 0 ? 206 : 200, headers);
      if (request.method === 'HEAD') response.end();
      else if (fault.cutAt) response.write(body.subarray(0, fault.cutAt), () => response.socket?.end());
      else response.end(body.subarray(from));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(async () => {
    rmSync(home, { recursive: true });
    await new Promise((resolve) => server.close(resolve));
  });

  const get = (more: Record<string, string> = {}) =>
    hubFile('someone/gpt', 'model.safetensors', () => {}, { HF_HOME: home, HF_ENDPOINT: endpoint, ...more });
  const blob = () => join(home, 'hub', 'models--someone--gpt', 'blobs', SHA256);

  it("is downloaded into Python's cache once, and needs no network again", async () => {
    const path = await get({ HF_TOKEN: 'secret' });
    expect(path).to.equal(
      join(home, 'hub', 'models--someone--gpt', 'snapshots', COMMIT, 'model.safetensors'),
    );
    expect(readFileSync(path).equals(CONTENT)).to.equal(true);
    expect(lstatSync(path).isSymbolicLink()).to.equal(true);
    expect(readFileSync(join(home, 'hub', 'models--someone--gpt', 'refs', 'main'), 'utf8')).to.equal(COMMIT);
    expect(asked.map(({ authorization }) => authorization)).to.deep.equal(['Bearer secret', 'Bearer secret']);
    expect(await get({ HF_HUB_OFFLINE: '1' })).to.equal(path);
    expect(asked).to.have.length(2);
  });

  it('is taken from a cache without links, and one that another program has named', async () => {
    const other = join(home, 'elsewhere', 'models--someone--gpt', 'snapshots', 'abc');
    mkdirSync(other, { recursive: true });
    const copy = join(home, 'copy');
    writeFileSync(copy, CONTENT);
    copyFileSync(copy, join(other, 'model.safetensors'));
    expect(await get({ HF_HUB_CACHE: join(home, 'elsewhere') })).to.equal(join(other, 'model.safetensors'));
    expect(asked).to.have.length(0);
  });

  it('goes on where a download was cut', async () => {
    fault = { cutAt: 100_000 };
    expect(await failure(get())).to.match(/could not be fetched|ended after/);
    // How much arrives before the end is noticed, the system decides.
    expect(readFileSync(`${blob()}.incomplete`).length).to.be.at.most(100_000);
    const kept = 70_000;
    writeFileSync(`${blob()}.incomplete`, CONTENT.subarray(0, kept));
    fault = {};
    expect(readFileSync(await get()).equals(CONTENT)).to.equal(true);
    expect(asked.at(-1)?.range).to.equal(`bytes=${kept}-`);
  });

  it('is refused where it is damaged, not there, not allowed, or not to be fetched', async () => {
    fault = { damaged: true };
    expect(await failure(get())).to.match(/is damaged: its hash begins/);
    expect(existsSync(`${blob()}.incomplete`)).to.equal(false);
    fault = { status: 404 };
    expect(await failure(get())).to.match(/answered 404/);
    fault = { status: 401 };
    expect(await failure(get())).to.match(/HF_TOKEN/);
    expect(await failure(get({ HF_HUB_OFFLINE: 'true' }))).to.match(/not in the cache.*HF_HUB_OFFLINE/);
    expect(await failure(get({ HF_ENDPOINT: 'http://127.0.0.1:9' }))).to.match(/cannot be reached/);
  });

  it('is downloaded once by two that ask for it at the same time', async () => {
    const said: string[] = [];
    const ask = () =>
      hubFile('someone/gpt', 'model.safetensors', (line) => said.push(line), {
        HF_HOME: home,
        HF_ENDPOINT: endpoint,
      });
    const [one, other] = await Promise.all([ask(), ask()]);
    expect(one).to.equal(other);
    expect(readFileSync(one).equals(CONTENT)).to.equal(true);
    expect(asked.filter(({ method }) => method === 'GET')).to.have.length(1);
    expect(said).to.include('Another process is downloading it; waiting for that');
    expect(existsSync(`${blob()}.lock`)).to.equal(false);
  });

  it('is downloaded where a process that was killed has left its lock', async () => {
    mkdirSync(join(blob(), '..'), { recursive: true });
    writeFileSync(`${blob()}.lock`, '');
    const longAgo = new Date(Date.now() - 60_000);
    utimesSync(`${blob()}.lock`, longAgo, longAgo);
    expect(readFileSync(await get()).equals(CONTENT)).to.equal(true);
  });

  it('comes through the proxy that the environment names', async () => {
    const relayed: { path?: string; credentials?: string }[] = [];
    const proxy = createServer((request, response) => {
      const { 'proxy-authorization': credentials, ...headers } = request.headers;
      relayed.push({ path: request.url, credentials });
      // A hub whose name only the proxy knows.
      const { pathname } = new URL(request.url!);
      forward(new URL(pathname, endpoint), { method: request.method, headers }, (answer) => {
        response.writeHead(answer.statusCode!, answer.headers);
        answer.pipe(response);
      }).end();
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const address = `127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const hub = { HF_ENDPOINT: 'http://hub.invalid' };
    const path = await get({ ...hub, HTTP_PROXY: `http://me:s%20ecret@${address}` });
    expect(readFileSync(path).equals(CONTENT)).to.equal(true);
    expect(relayed[0]).to.deep.equal({
      path: 'http://hub.invalid/someone/gpt/resolve/main/model.safetensors',
      credentials: `Basic ${Buffer.from('me:s ecret').toString('base64')}`,
    });
    rmSync(join(home, 'hub'), { recursive: true });
    const excepted = { ...hub, http_proxy: address, no_proxy: 'localhost, .invalid' };
    expect(await failure(get(excepted))).to.match(/hub\.invalid cannot be reached/);
    // To an https hub a proxy is asked for a tunnel, which this one does not give.
    proxy.on('connect', (request, socket) => {
      relayed.push({ path: request.url });
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    });
    const secure = { HF_ENDPOINT: 'https://hub.invalid', ALL_PROXY: address };
    expect(await failure(get(secure))).to.equal(
      `the proxy ${address} refuses hub.invalid:443: it answered 403`,
    );
    expect(await failure(get({ ...hub, all_proxy: 'socks5://x:1' }))).to.match(
      /socks5:\/\/x:1 cannot be used/,
    );
    await new Promise((resolve) => proxy.close(resolve));
  });
});
