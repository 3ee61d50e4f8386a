import { createHash } from 'node:crypto';
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
import { expect } from 'chai';
import { zipSync } from 'fflate';
import { prepareMessages } from '../../../chapters/chapter06/index.ts';
import {
  MESSAGES,
  type ObtainOptions,
  obtain,
  readLabelledTexts,
  readParts,
  writeParts,
} from '../../../chapters/datasets/index.ts';
import { parquetBytes } from '../../../chapters/datasets/parquet.ts';
import { failure } from '../../support/failure.ts';
import { program } from '../../support/program.ts';

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

const obtainMessages = async (options: ObtainOptions) => {
  const { data, ...about } = await obtain(MESSAGES, options);
  return { messages: data, ...about };
};

describe('the SMS Spam Collection', () => {
  it('takes a local copy, as it is or zipped', async () => {
    for (const path of [saved('plain', small), saved('small.zip', smallZip)]) {
      const { messages, source, isStandIn } = await obtainMessages({ path });
      expect(messages).to.have.length(20);
      expect(messages[3]).to.deep.equal({ label: 'ham', text: 'message 3' });
      expect([source, isStandIn]).to.deep.equal([path, false]);
    }
  });

  it('gives the stand-in when asked for it', async () => {
    const { messages, isStandIn } = await obtainMessages({ path: 'stand-in' });
    expect([messages.length, isStandIn]).to.deep.equal([5572, true]);
  });

  it('names a local copy that is missing, damaged or another zip', async () => {
    expect(await failure(obtainMessages({ path: join(folder, 'none') }))).to.include('none does not exist');
    const cut = saved('cut.zip', smallZip.subarray(0, 60));
    expect(await failure(obtainMessages({ path: cut }))).to.match(/cut.zip is not a readable zip file/);
    const other = saved('other.zip', zipSync({ 'notes.txt': Buffer.from('x') }));
    expect(await failure(obtainMessages({ path: other }))).to.include('has no file named SMSSpamCollection');
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
      const { isStandIn, source } = await obtainMessages({
        urls: [`${host}/down.zip`, `${host}/page.zip`, `${host}/other.zip`, 'http://127.0.0.1:1/x.zip'],
        cacheFolder,
        print: (line) => lines.push(line),
      });
      expect(requests).to.deep.equal(['/down.zip', '/page.zip', '/other.zip']);
      expect([isStandIn, source]).to.deep.equal([true, 'the synthetic stand-in']);
      expect(lines).to.have.length(1);
      expect(lines[0]).to.match(/^The SMS Spam Collection cannot be downloaded \([^\n]+--data PATH$/);
      expect(lines[0]).to.include('answered 503');
      expect(lines[0]).to.include('is not the file expected: its SHA-256 begins');
      expect(lines[0]).to.include('cannot be reached (ECONNREFUSED)');
      expect(existsSync(cacheFolder)).to.equal(false);
    });

    it('uses a download that cannot be kept', async () => {
      const original = { ...MESSAGES, sha256: createHash('sha256').update(small).digest('hex') };
      const lines: string[] = [];
      const options = { urls: [`${host}/other.zip`], print: (line: string) => void lines.push(line) };
      const below = join(saved('a-file', ''), 'cache'); // below a file no folder can be made
      const { data, isOriginal } = await obtain(original, { ...options, cacheFolder: below });
      expect([data.length, isOriginal]).to.deep.equal([20, true]);
      expect(lines.join()).to.match(/^Downloaded the SMS Spam Collection, not kept: cannot write /);

      const cacheFolder = join(folder, 'keeps');
      await obtain(original, { ...options, cacheFolder });
      expect(readFileSync(join(cacheFolder, 'SMSSpamCollection'), 'utf8')).to.equal(small);
      await obtain(original, { urls: [], cacheFolder }); // no network any more
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
      const { messages, isOriginal } = await obtainMessages({ cacheFolder, urls: [] });
      expect([messages.length, isOriginal]).to.deep.equal([5572, true]);
    });
  });
});

describe('prepareMessages', () => {
  it('splits in memory, repeats itself, and reads back what was written', async () => {
    const data = saved('plain', small);
    const { parts, before } = await prepareMessages({ data, seed: 3, print: () => {} });
    expect(before!.messages).to.have.length(20);
    expect(before!.balanced).to.have.length(16);
    expect([parts.train.length, parts.valid.length, parts.test.length]).to.deep.equal([11, 1, 4]);
    const rows = [...parts.train, ...parts.valid, ...parts.test];
    for (const { label, text } of rows) expect(label).to.equal(Number(text.split(' ')[1]) % 5 < 2 ? 1 : 0);
    expect(new Set(rows.map(({ text }) => text)).size).to.equal(16);

    const again = await prepareMessages({ data, seed: 3, print: () => {} });
    expect(again.parts).to.deep.equal(parts);
    const other = await prepareMessages({ data, seed: 4, print: () => {} });
    expect(other.parts).not.to.deep.equal(parts);

    const out = join(folder, 'out');
    await writeParts(out, parts, false);
    expect((await readParts(out)).parts).to.deep.equal(parts);
    const fromFolder = await prepareMessages({ data: out, seed: 99 });
    expect(fromFolder).to.deep.equal({ parts, source: out, synthetic: false });
    expect(await failure(prepareMessages({ data: folder }))).to.match(/train\.parquet does not exist/);
  });

  it('knows a folder that was made from the stand-in', async () => {
    const { parts, source, synthetic } = await prepareMessages({ data: 'stand-in', print: () => {} });
    expect([source, synthetic]).to.deep.equal(['the synthetic stand-in', true]);
    const out = join(folder, 'synthetic');
    await writeParts(out, parts, synthetic);
    const fromFolder = await prepareMessages({ data: out });
    expect(fromFolder).to.deep.equal({
      parts,
      source: `${out}, made from the synthetic stand-in`,
      synthetic: true,
    });
  });

  it('says how a collection differs from the original in size', async () => {
    const lines: string[] = [];
    await prepareMessages({ data: saved('plain', small), print: (line) => lines.push(line) });
    expect(lines).to.deep.equal([
      `${join(folder, 'plain')} is not the original collection of 5,572 messages: it has 20 (12 ham and 8 spam)`,
    ]);
  });

  it('takes more spam than ham', async () => {
    const lines = Array.from({ length: 20 }, (_, i) => `${i < 8 ? 'ham' : 'spam'}\t${i}\n`).join('');
    const { parts, before } = await prepareMessages({ data: saved('much-spam', lines), print: () => {} });
    expect(before!.balanced.map(({ label }) => label).filter((label) => label === 'spam')).to.have.length(8);
    expect(parts.train).to.have.length(11);
  });

  it('names the file and the counts of too few messages', async () => {
    const collection = (ham: number, spam: number) => 'ham\thello\n'.repeat(ham) + 'spam\twin\n'.repeat(spam);
    const refusal = (ham: number, spam: number) =>
      failure(prepareMessages({ data: saved('few', collection(ham, spam)), print: () => {} }));
    expect(await refusal(6, 4)).to.match(
      /few has 6 ham and 4 spam messages: balanced and split, that would be 5 for training, 0 for validation and 3/,
    );
    expect(await refusal(4, 1)).to.include('give at least 5 of each kind');
    expect(await refusal(0, 0)).to.match(/few has 0 ham and 0 spam messages: some of both kinds are needed/);
    expect(await refusal(0, 3)).to.include('0 ham and 3 spam');
  });
});

describe('readLabelledTexts', () => {
  const written = (path: string, columns: Parameters<typeof parquetBytes>[1]) =>
    writeFileSync(path, parquetBytes(path, columns));

  it('names a wrong label, a missing text, an empty or a missing file', async () => {
    const path = join(folder, 'rows.parquet');
    const write = (labels: number[], texts: string[]) =>
      written(path, [
        { name: 'Label', type: 'int64', data: labels },
        { name: 'Text', type: 'string', data: texts },
      ]);
    write([0, 2], ['a', 'b']);
    expect(await failure(readLabelledTexts(path))).to.include(
      'row 1: the label must be 0 (ham) or 1 (spam), not 2',
    );
    write([], []);
    expect(await failure(readLabelledTexts(path))).to.include('has no rows');
    written(path, [
      { name: 'Label', type: 'int64', data: [0] },
      { name: 'Text', type: 'int64', data: [5] },
    ]);
    expect(await failure(readLabelledTexts(path))).to.include('row 0: Text is not a text');
    expect(await failure(readLabelledTexts(join(folder, 'none')))).to.include('cannot read the messages');
  });
});

describe('npm run data', () => {
  const run = (...args: string[]) => program('chapters/commands/data.ts', args);

  it('writes the three files and prints their counts', async () => {
    const out = join(folder, 'program');
    const { stdout, stderr, status } = await run('--from', 'stand-in', '--out', out);
    expect(stderr).to.equal('');
    expect(status).to.equal(0);
    expect(stdout).to.include('5572 messages (4825 ham, 747 spam) from the synthetic stand-in\n');
    expect(stdout).to.match(
      /train.parquet: 1045 rows .*\n.*valid.parquet: 149 rows .*\n.*test.parquet: 300 rows/,
    );
    expect(readdirSync(out).sort()).to.deep.equal(['test.parquet', 'train.parquet', 'valid.parquet']);
  });

  it('ends with one line and a non-zero code on a mistake', async () => {
    const [unknown, missing] = await Promise.all([run('--form', 'x'), run('--from', join(folder, 'none'))]);
    expect([unknown.status, unknown.stdout]).to.deep.equal([2, '']);
    expect(unknown.stderr).to.match(/^error: unknown option --form; [^\n]+\n$/);
    expect(missing.status).to.equal(1);
    expect(missing.stderr).to.match(/^error: cannot read --from: [^\n]+\n$/);
  });
});
