import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { zipSync } from 'fflate';
import {
  obtainMessages,
  prepareSplits,
  readLabelledTexts,
  STAND_IN,
} from '../../../chapters/chapter06/data/index.ts';
import { writeParquet } from '../../../lib/io/parquet.ts';
import { failure } from '../../support/failure.ts';

const folder = mkdtempSync(join(tmpdir(), 'sms-'));
after(() => rmSync(folder, { recursive: true }));

// A collection small enough to see through: 12 ham, 8 spam.
const small = Array.from({ length: 20 }, (_, i) => `${i % 5 < 2 ? 'spam' : 'ham'}\tmessage ${i}\n`).join('');
const smallZip = zipSync({ readme: Buffer.from('about'), SMSSpamCollection: Buffer.from(small) });

function saved(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

describe('obtainMessages', () => {
  it('takes a local copy, as it is or zipped', async () => {
    for (const path of [saved('plain', small), saved('small.zip', smallZip)]) {
      const { messages, source, synthetic } = await obtainMessages({ data: path });
      expect(messages).to.have.length(20);
      expect(messages[3]).to.deep.equal({ label: 'ham', text: 'message 3' });
      expect([source, synthetic]).to.deep.equal([path, false]);
    }
  });

  it('gives the stand-in when asked for it', async () => {
    const { messages, synthetic } = await obtainMessages({ data: STAND_IN });
    expect([messages.length, synthetic]).to.deep.equal([5572, true]);
  });

  it('names a local copy that is missing, damaged or another zip', async () => {
    expect(await failure(obtainMessages({ data: join(folder, 'none') }))).to.include('none does not exist');
    const cut = saved('cut.zip', smallZip.subarray(0, 60));
    expect(await failure(obtainMessages({ data: cut }))).to.match(/cut.zip is not a readable zip file/);
    const other = saved('other.zip', zipSync({ 'notes.txt': Buffer.from('x') }));
    expect(await failure(obtainMessages({ data: other }))).to.include('has no file named SMSSpamCollection');
  });

  describe('without a local copy', () => {
    let server: Server;
    let host: string;
    const requests: string[] = [];

    before((done) => {
      server = createServer((request, response) => {
        requests.push(request.url ?? '');
        if (request.url === '/other.zip') response.end(smallZip);
        else if (request.url === '/page.zip') response.end('<html>log in to the network</html>');
        else response.writeHead(503).end();
      });
      server.listen(0, '127.0.0.1', () => {
        host = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
        done();
      });
    });
    after((done) => {
      server.closeAllConnections();
      server.close(() => done());
    });

    it('tries each place, then says in one line why it uses the stand-in, and keeps nothing', async () => {
      const lines: string[] = [];
      const cacheFolder = join(folder, 'cache');
      const { synthetic, source } = await obtainMessages({
        urls: [`${host}/down.zip`, `${host}/page.zip`, `${host}/other.zip`, 'http://127.0.0.1:1/x.zip'],
        cacheFolder,
        print: (line) => lines.push(line),
      });
      expect(requests).to.deep.equal(['/down.zip', '/page.zip', '/other.zip']);
      expect([synthetic, source]).to.deep.equal([true, 'the synthetic stand-in']);
      expect(lines).to.have.length(1);
      expect(lines[0]).to.match(/^The SMS Spam Collection cannot be downloaded \([^\n]+--data PATH$/);
      expect(lines[0]).to.include('answered 503');
      expect(lines[0]).to.include('not a readable zip file');
      expect(lines[0]).to.include('is not the file expected: its SHA-256 begins');
      expect(lines[0]).to.include('cannot be reached (ECONNREFUSED)');
      expect(readdirSync(cacheFolder)).to.deep.equal([]);
    });

    it('refuses a kept copy that is damaged', async () => {
      const cacheFolder = join(folder, 'damaged');
      mkdirSync(cacheFolder);
      writeFileSync(join(cacheFolder, 'SMSSpamCollection'), small);
      expect(await failure(obtainMessages({ cacheFolder, urls: [] }))).to.match(
        /SMSSpamCollection is not the file expected: .*delete it and get it again/,
      );
    });

    it('uses a kept copy without asking the network (set SMS_SPAM_COLLECTION to the real file)', async function () {
      const real = process.env.SMS_SPAM_COLLECTION ?? '';
      if (!existsSync(real)) this.skip(); // it may not be distributed with the project
      const cacheFolder = join(folder, 'kept');
      mkdirSync(cacheFolder);
      writeFileSync(join(cacheFolder, 'SMSSpamCollection'), readFileSync(real));
      const { messages, synthetic } = await obtainMessages({ cacheFolder, urls: [] });
      expect([messages.length, synthetic]).to.deep.equal([5572, false]);
    });
  });
});

describe('prepareSplits and readLabelledTexts', () => {
  it('write three parts that are read back, and repeat themselves', async () => {
    const data = saved('plain', small);
    const splits = await prepareSplits({ data, out: join(folder, 'out'), seed: 3 });
    expect(splits.messages).to.deep.equal({ ham: 12, spam: 8 });
    const parts = [splits.train, splits.validation, splits.test];
    expect(parts.map((part) => part.path)).to.deep.equal(
      ['train', 'valid', 'test'].map((name) => join(folder, 'out', `${name}.parquet`)),
    );
    expect(parts.map((part) => part.rows)).to.deep.equal([11, 1, 4]);
    const read = await Promise.all(parts.map((part) => readLabelledTexts(part.path)));
    for (const [i, { labels, texts }] of read.entries()) {
      expect(labels.filter((label) => label === 1)).to.have.length(parts[i].spam);
      const expected = texts.map((text) => (Number(text.split(' ')[1]) % 5 < 2 ? 1 : 0));
      expect(labels).to.deep.equal(expected);
    }
    expect(new Set(read.flatMap(({ texts }) => texts)).size).to.equal(16);

    await prepareSplits({ data, out: join(folder, 'again'), seed: 3 });
    await prepareSplits({ data, out: join(folder, 'other'), seed: 4 });
    const bytes = (place: string) => readFileSync(join(folder, place, 'train.parquet')).toString('hex');
    expect(bytes('again')).to.equal(bytes('out'));
    expect(bytes('other')).not.to.equal(bytes('out'));
  });

  it('name a wrong label, a missing text, an empty or a missing file', async () => {
    const path = join(folder, 'rows.parquet');
    const write = (labels: number[], texts: string[]) =>
      writeParquet(path, [
        { name: 'Label', type: 'int64', data: labels },
        { name: 'Text', type: 'string', data: texts },
      ]);
    await write([0, 2], ['a', 'b']);
    expect(await failure(readLabelledTexts(path))).to.include(
      'row 1: the label must be 0 (ham) or 1 (spam), not 2',
    );
    await write([], []);
    expect(await failure(readLabelledTexts(path))).to.include('has no rows');
    await writeParquet(path, [
      { name: 'Label', type: 'int64', data: [0] },
      { name: 'Text', type: 'int64', data: [5] },
    ]);
    expect(await failure(readLabelledTexts(path))).to.include('row 0: Text is not a text');
    expect(await failure(readLabelledTexts(join(folder, 'none')))).to.include('cannot read the messages');
  });
});

describe('npm run data', () => {
  const program = fileURLToPath(new URL('../../../chapters/chapter06/data/run.ts', import.meta.url));
  const run = (...args: string[]) =>
    spawnSync(process.execPath, ['--import', 'tsx', program, ...args], { encoding: 'utf8' });

  it('writes the three files and prints their counts', () => {
    const out = join(folder, 'program');
    const { stdout, stderr, status } = run('--from', STAND_IN, '--out', out);
    expect(stderr).to.equal('');
    expect(status).to.equal(0);
    expect(stdout).to.include('5572 messages (4825 ham, 747 spam) from the synthetic stand-in\n');
    expect(stdout).to.match(
      /train.parquet: 1045 rows .*\n.*valid.parquet: 149 rows .*\n.*test.parquet: 300 rows/,
    );
    expect(readdirSync(out).sort()).to.deep.equal(['test.parquet', 'train.parquet', 'valid.parquet']);
  });

  it('ends with one line and a non-zero code on a mistake', () => {
    const unknown = run('--form', 'x');
    expect([unknown.status, unknown.stdout]).to.deep.equal([2, '']);
    expect(unknown.stderr).to.match(/^error: unknown option --form; [^\n]+\n$/);
    const missing = run('--from', join(folder, 'none'));
    expect(missing.status).to.equal(1);
    expect(missing.stderr).to.match(/^error: cannot read the SMS Spam Collection: [^\n]+\n$/);
  });
});
