import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { expect } from 'chai';
import { DownloadError, downloadFile } from '../../chapters/datasets/download.ts';
import { UserError } from '../../lib/errors.ts';
import {
  checkSha256,
  readFileOrExplain,
  requireWritableFolder,
  sha256,
  sha256OfFile,
  writeBeside,
  writeFileAtomically,
} from '../../lib/io/files.ts';

/** The error an async call ends with. */
async function failure(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error('it did not fail');
}

const folder = mkdtempSync(join(tmpdir(), 'files-'));
after(() => rmSync(folder, { recursive: true }));

describe('files', () => {
  it('writes texts and bytes, making folders, leaving nothing beside', async () => {
    const path = join(folder, 'deep', 'er', 'a.txt');
    await writeFileAtomically(path, 'one');
    await writeFileAtomically(path, 'twö');
    expect(readFileSync(path, 'utf8')).to.equal('twö');
    await writeFileAtomically(path, Uint8Array.of(1, 2));
    expect(await readFileOrExplain(path, 'the file')).to.deep.equal(Buffer.of(1, 2));
    expect(readdirSync(join(folder, 'deep', 'er'))).to.deep.equal(['a.txt']);
  });

  it('an interrupted write leaves the old file, and nothing beside', async () => {
    const path = join(folder, 'kept', 'a.txt');
    await writeFileAtomically(path, 'old');
    const error = await failure(
      writeBeside(path, async (write) => {
        await write(Buffer.from('half of the n'));
        throw new Error('power cut');
      }),
    );
    expect(error.message).to.equal('power cut');
    expect(readFileSync(path, 'utf8')).to.equal('old');
    expect(readdirSync(join(folder, 'kept'))).to.deep.equal(['a.txt']);
  });

  it('takes away what a process that is gone has left beside, and nothing else', async () => {
    const place = join(folder, 'abandoned');
    const path = join(place, 'a.txt');
    await writeFileAtomically(path, 'old');
    const gone = spawnSync(process.execPath, ['-e', '0']).pid;
    const part = (name: string, id: number, age: number) => {
      const file = join(place, `.${name}.${id}.part`);
      writeFileSync(file, 'half');
      utimesSync(file, new Date(), new Date(Date.now() - age * 1000));
      return basename(file);
    };
    part('a.txt', gone, 3600);
    const kept = [
      part('b.txt', gone, 3600), // of another file
      part('a.txt', process.ppid, 3600), // of a process that still runs
      part('a.txt', gone + 1, 1), // perhaps of another machine
    ];
    await writeFileAtomically(path, 'new');
    expect(readdirSync(place).sort()).to.deep.equal([...kept, 'a.txt'].sort());
  });

  it('a folder for results is tried before the work is done, and nothing is left of the trial', async () => {
    const path = join(folder, 'runs');
    await requireWritableFolder(join(path, 'deep', 'er'));
    expect(existsSync(path)).to.equal(false);
    mkdirSync(path);
    await requireWritableFolder(path);
    expect(readdirSync(path)).to.deep.equal([]);
    writeFileSync(join(path, 'file'), '');
    const error = await failure(requireWritableFolder(join(path, 'file', 'x')));
    expect(error).to.be.instanceOf(UserError);
    expect(error.message).to.match(/^cannot write to \S+x: it lies under something that is not a folder/);
    expect(readdirSync(path)).to.deep.equal(['file']);
  });

  it('refuses a folder that the system makes no folders in, as it does below /proc', async function () {
    if (!existsSync('/proc/self')) this.skip(); // only Linux has it
    for (const path of ['/proc', '/proc/none', '/proc/none/deep/er']) {
      const error = await failure(requireWritableFolder(path));
      expect(error.message).to.equal(
        `cannot write to ${path}: it cannot be made there; choose another place`,
      );
    }
  });

  it('says why a file cannot be read', async () => {
    const missing = await failure(readFileOrExplain(join(folder, 'none.txt'), 'the training set'));
    expect(missing).to.be.instanceOf(UserError);
    expect(missing.message).to.match(
      /^cannot read the training set: \S+none.txt does not exist; check the path$/,
    );
    expect((await failure(readFileOrExplain(folder, 'x'))).message).to.include('is a folder; name a file');
    writeFileSync(join(folder, 'plain'), '');
    const under = await failure(readFileOrExplain(join(folder, 'plain', 'x'), 'x'));
    expect(under.message).to.include('lies under something that is not a folder');
  });

  it('says why a file cannot be written', async () => {
    const place = join(folder, 'is-a-folder');
    mkdirSync(place);
    const error = await failure(writeFileAtomically(place, 'x'));
    expect(error).to.be.instanceOf(UserError);
    expect(error.message).to.match(/^cannot write \S+is-a-folder: it [^\n]+$/);
    writeFileSync(join(folder, 'plain'), '');
    expect((await failure(writeFileAtomically(join(folder, 'plain', 'x'), 'x'))).message).to.include(
      'cannot write',
    );
  });

  it('says so where permissions forbid it', async function () {
    if (process.getuid?.() === 0) this.skip(); // root may write anywhere
    const place = join(folder, 'locked');
    mkdirSync(place);
    chmodSync(place, 0o500);
    expect((await failure(writeFileAtomically(join(place, 'x'), 'x'))).message).to.include(
      'check its permissions',
    );
  });

  it('checks a hash', async () => {
    const bytes = Buffer.from('abc');
    const right = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
    expect(sha256(bytes)).to.equal(right);
    checkSha256(bytes, right, 'abc.txt');
    writeFileSync(join(folder, 'abc.txt'), bytes);
    expect(await sha256OfFile(join(folder, 'abc.txt'))).to.equal(right);
    expect((await failure(sha256OfFile(join(folder, 'none')))).message).to.include('does not exist');
    expect(() => checkSha256(Buffer.from('abd'), right, 'abc.txt')).to.throw(
      UserError,
      /^abc.txt is not the file expected: its SHA-256 begins a52d159f262b, not ba7816bf8f01; it may be damaged/,
    );
  });
});

describe('downloadFile', () => {
  const content = Buffer.alloc(300_000, 'some content ');
  let server: Server;
  let answer: (response: ServerResponse) => void = (response) => response.end(content);
  let url: string;

  before((done) => {
    server = createServer((_, response) => answer(response));
    server.listen(0, '127.0.0.1', () => {
      url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/file.zip`;
      done();
    });
  });
  after((done) => {
    server.closeAllConnections();
    server.close(() => done());
  });

  it('fetches, reports, checks the hash', async () => {
    const path = join(folder, 'download', 'file.zip');
    const progress: number[] = [];
    answer = (response) => response.setHeader('content-length', content.length).end(content);
    await downloadFile(url, path, {
      sha256: sha256(content),
      onProgress: (received, total) => {
        expect(total).to.equal(content.length);
        progress.push(received);
      },
    });
    expect(readFileSync(path).equals(content)).to.equal(true);
    expect(progress.at(-1)).to.equal(content.length);
  });

  const failures: [string, (response: ServerResponse) => void, string][] = [
    ['another content', (response) => response.end('moved'), 'is not the file expected: its SHA-256 begins'],
    ['an error page', (response) => response.writeHead(404).end('no'), 'answered 404'],
    [
      'a broken connection',
      (response) => {
        response.setHeader('content-length', content.length);
        response.write(content.subarray(0, 1000), () => response.destroy());
      },
      'could not be fetched',
    ],
    ['silence', () => {}, 'could not be fetched: stalled for 0.2 s'],
    ['silence in the middle', (response) => response.write(content.subarray(0, 1000)), 'stalled for 0.2 s'],
  ];
  for (const [what, behaviour, message] of failures) {
    it(`leaves the old file and nothing beside on ${what}`, async () => {
      const place = join(folder, `download ${what}`);
      await writeFileAtomically(join(place, 'file.zip'), 'old');
      answer = behaviour;
      const error = await failure(
        downloadFile(url, join(place, 'file.zip'), { sha256: sha256(content), stallTimeoutMs: 200 }),
      );
      expect(error).to.be.instanceOf(DownloadError);
      expect(error.message).to.include(message);
      expect(readFileSync(join(place, 'file.zip'), 'utf8')).to.equal('old');
      expect(readdirSync(place)).to.deep.equal(['file.zip']);
    });
  }

  it('waits for a slow server as long as something comes', async () => {
    const path = join(folder, 'slow');
    answer = (response) => {
      let sent = 0;
      const timer = setInterval(() => {
        response.write(content.subarray(sent, sent + 50_000));
        sent += 50_000;
        if (sent < content.length) return;
        clearInterval(timer);
        response.end();
      }, 200);
    };
    await downloadFile(url, path, { sha256: sha256(content), stallTimeoutMs: 1000 }); // takes 1.2 s in all
    expect(readFileSync(path).equals(content)).to.equal(true);
  });

  it('says that a host cannot be reached', async () => {
    const path = join(folder, 'never');
    const refused = await failure(downloadFile('http://127.0.0.1:1/x', path));
    expect(refused).to.be.instanceOf(DownloadError);
    expect(refused.message).to.equal('127.0.0.1 cannot be reached (ECONNREFUSED)');
    // .invalid never resolves (RFC 2606); without a network the look-up itself fails or times out.
    const unknown = await failure(downloadFile('https://nowhere.invalid/x', path, { connectTimeoutMs: 300 }));
    expect(unknown.message).to.match(/^nowhere.invalid cannot be reached/);
    expect(existsSync(path)).to.equal(false);
  });
});
