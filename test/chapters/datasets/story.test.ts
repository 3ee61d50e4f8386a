import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { obtain, STORY } from '../../../chapters/datasets/index.ts';
import { UserError } from '../../../lib/index.ts';

async function failure(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error('no error was thrown');
}

describe('where the story comes from', () => {
  let folder: string;
  let server: Server;
  let url: string;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'story-'));
    server = createServer((_, response) => response.end('another story'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/story.txt`;
  });
  after(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });

  function file(name: string, content: string | Uint8Array): string {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  }

  it('a local file', async () => {
    const story = await obtain(STORY, { path: file('mine.txt', 'Once upon a time') });
    expect(story.data).to.equal('Once upon a time');
    expect(story.isOriginal).to.equal(false);
  });

  it('our own story, long enough for chapter 5', async () => {
    const { data: text, isOriginal } = await obtain(STORY, { path: 'own' });
    expect(isOriginal).to.equal(false);
    expect(text.length).to.be.above(10_000);
  });

  it('our own one, said in one line, when the network is not there', async () => {
    const lines: string[] = [];
    const options = { cacheFolder: join(folder, 'none'), print: (line: string) => void lines.push(line) };
    const story = await obtain(STORY, { ...options, urls: ['http://127.0.0.1:1/story.txt'] });
    expect(story.source).to.equal('The Tide Clock');
    expect(lines).to.have.length(1);
    expect(lines[0]).to.include('--text PATH');
  });

  it('nor a download of another content', async () => {
    const lines: string[] = [];
    const options = { cacheFolder: join(folder, 'wrong'), print: (line: string) => void lines.push(line) };
    const story = await obtain(STORY, { ...options, urls: [url] });
    expect(story.source).to.equal('The Tide Clock');
    expect(lines.join()).to.include('not the file expected');
  });

  it('refuses what is no text, with one line', async () => {
    const cases: [string, string][] = [
      [join(folder, 'absent.txt'), 'does not exist'],
      [file('empty.txt', ' \n'), 'is empty'],
      [file('latin1.txt', Uint8Array.of(0x63, 0xe9)), 'not text in UTF-8'],
    ];
    for (const [path, why] of cases) {
      const error = await failure(obtain(STORY, { path }));
      expect(error).to.be.instanceOf(UserError);
      expect(error.message).to.include(why).and.not.include('\n');
    }
    file('the-verdict.txt', 'I HAD always');
    const damaged = await failure(obtain(STORY, { cacheFolder: folder }));
    expect(damaged.message).to.include('not the file expected');
  });
});
