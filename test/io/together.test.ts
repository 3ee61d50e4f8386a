import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import fc from 'fast-check';
import { tryLock } from '../../lib/io/lock.node.ts';
import { holdFolder, withLock } from '../../lib/io/one-at-a-time.node.ts';
import { readTogether, readTogetherAsync, replaceTogether } from '../../lib/io/together.node.ts';
import { failure } from '../support/failure.ts';
import { killEverywhere, killedBefore } from '../support/kills.ts';

const root = mkdtempSync(join(tmpdir(), 'together-'));
after(() => rmSync(root, { recursive: true }));
const newFolder = () => mkdtempSync(join(root, 'x-'));

/** What a reader of ours finds, and what another program does: all files by name, without those that begin with a dot. */
const allIn = (folder: string) => {
  const names = readdirSync(folder).filter((name) => !name.startsWith('.'));
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
};
const read = (folder: string, first: string) => readTogether(join(folder, first), () => allIn(folder));

describe('files that belong together', () => {
  const name = fc.constantFrom('b', 'c', 'd');
  const group = fc
    .dictionary(name, fc.option(fc.string({ maxLength: 5 })), { minKeys: 1 })
    .chain((files) => fc.string({ maxLength: 3 }).map((first) => ({ first, ...files })));

  it('are the old ones or the new ones for every reader, wherever the writer is killed', async () => {
    await fc.assert(
      fc.asyncProperty(group, group, async (old, next) => {
        const folder = newFolder();
        const without = (files: Record<string, string | null>) =>
          Object.fromEntries(Object.entries(files).filter(([, text]) => text !== null));
        const before = without(old);
        const after = { ...before, ...without(next) };
        for (const [each, text] of Object.entries(next)) if (text === null) delete after[each];
        await killEverywhere(
          async () => {
            rmSync(folder, { recursive: true, force: true });
            await replaceTogether(folder, old);
          },
          () => replaceTogether(folder, next),
          () => {
            const seen = allIn(folder); // by another program
            if ('first' in seen) expect(seen).to.be.deep.oneOf([before, after]);
            const ours = read(folder, 'first');
            expect(ours).to.be.deep.oneOf([before, after]);
            expect(read(folder, 'first')).to.deep.equal(ours);
          },
        );
        expect(allIn(folder)).to.deep.equal(after);
      }),
      { numRuns: 6 },
    );
  });

  it('may be whole folders, which a function fills', async () => {
    const folder = newFolder();
    const fill = (text: string) => async (place: string) => {
      mkdirSync(place);
      writeFileSync(join(place, 'a'), text);
      writeFileSync(join(place, text), text);
    };
    const write = (text: string) => replaceTogether(folder, { first: text, folder: fill(text) });
    await killEverywhere(
      () => write('old'),
      () => write('new'),
      () => {
        const first = readTogether(join(folder, 'first'), () => readFileSync(join(folder, 'first'), 'utf8'));
        expect(allIn(join(folder, 'folder'))).to.deep.equal({ a: first, [first]: first });
      },
    );
    await replaceTogether(folder, { first: 'none', folder: null });
    expect(readdirSync(folder)).to.deep.equal(['first']);
  });

  it('are refused where a folder is in the place of a file, or a file in that of a folder; nothing is changed', async () => {
    const folder = newFolder();
    await replaceTogether(folder, { first: 'old', second: 'old' });
    mkdirSync(join(folder, 'third'));
    const before = readdirSync(folder);
    const write = (name: string, content: string | ((place: string) => Promise<unknown>)) =>
      failure(replaceTogether(folder, { first: 'new', second: 'new', [name]: content }));
    expect(await write('third', 'new')).to.match(
      /third: there is a folder of that name, and a file is written$/,
    );
    expect(await write('second', async (place) => mkdirSync(place))).to.match(
      /second: there is a file of that name, and a folder is written$/,
    );
    expect(readdirSync(folder)).to.deep.equal(before);
    expect(readFileSync(join(folder, 'second'), 'utf8')).to.equal('old');
  });

  it('are finished by a reader that is itself killed, or by the next writer', async () => {
    const folder = newFolder();
    const write = (text: string) => replaceTogether(folder, { first: text, second: text });
    const changes = await killEverywhere(
      () => write('old'),
      () => write('new'),
      () => {},
    );
    for (let at = 0; at < changes; at++) {
      await killEverywhere(
        async () => {
          await write('old');
          await killedBefore(at, () => write('new'));
        },
        async () => read(folder, 'first'),
        async () => {
          const { first, second } = read(folder, 'first');
          expect(first).to.equal(second);
          await write('newest');
          expect(allIn(folder)).to.deep.equal({ first: 'newest', second: 'newest' });
        },
      );
    }
  });

  it('leave nothing beside them', async () => {
    const folder = newFolder();
    await replaceTogether(folder, { first: 'a', second: Uint8Array.of(98), third: [Uint8Array.of(99)] });
    await replaceTogether(folder, { first: 'a', third: null });
    expect(readdirSync(folder).sort()).to.deep.equal(['first', 'second']);
  });

  it('are left as they were where one of them cannot be written', async () => {
    const folder = newFolder();
    await replaceTogether(folder, { first: 'a', second: 'b' });
    for (const inTheWay of ['.first.of.first.part', '.second.of.first.part', '.first.journal.part']) {
      mkdirSync(join(folder, inTheWay));
      expect(await failure(replaceTogether(folder, { first: 'c', second: 'd' }))).to.match(
        /^cannot write \S+first: /,
      );
      rmSync(join(folder, inTheWay), { recursive: true, force: true });
      expect(readdirSync(folder).sort()).to.deep.equal(['first', 'second']);
      expect(read(folder, 'first')).to.deep.equal({ first: 'a', second: 'b' });
    }
  });

  it('are of one writer, however many write and read at once', async () => {
    const folder = newFolder();
    const texts = Array.from({ length: 8 }, (_, i) => String(i).repeat(2000));
    const files = (text: string) => ({ first: text, second: text });
    await replaceTogether(folder, files(texts[0]));
    let isDone = false;
    const writers = Promise.all(texts.map((text) => replaceTogether(folder, files(text)))).then(
      () => (isDone = true),
    );
    let reads = 0;
    while (!isDone) {
      const seen = await readTogetherAsync(join(folder, 'first'), async () => {
        const first = readFileSync(join(folder, 'first'), 'utf8');
        await pause(1);
        return [first, readFileSync(join(folder, 'second'), 'utf8')];
      });
      expect(seen[0]).to.equal(seen[1]);
      const { first, second } = read(folder, 'first');
      expect(first).to.equal(second);
      reads++;
    }
    await writers;
    expect(reads).to.be.above(2);
  });
});

/** A process that takes locks and does not give them back: it says so, and waits for its end. */
const KEEPER = `
  import { tryLock } from '${new URL('../../lib/io/lock.node.ts', import.meta.url)}';
  for (const path of process.argv.slice(1)) if (typeof tryLock(path) !== 'function') throw new Error('it is taken');
  console.log('held');
  setInterval(() => {}, 1000);
`;

describe('a lock', () => {
  it('is kept from others while its process lives, and taken over at once when it was killed', async () => {
    const folder = newFolder();
    const [one, run] = [join(folder, 'one'), join(folder, '.lock')];
    const keeper = spawn(process.execPath, [
      '--import',
      'tsx',
      '--input-type=module',
      '-e',
      KEEPER,
      one,
      run,
    ]);
    const killed = new Promise((resolve) => keeper.on('close', resolve));
    try {
      await new Promise((resolve, reject) => keeper.stdout.once('data', resolve).once('end', reject));
      expect(tryLock(one)).to.deep.equal({ pid: keeper.pid, isOwn: false });
      expect(await failure(holdFolder(folder))).to.equal(
        `another run (process ${keeper.pid}) writes to ${folder}: wait, or give another --out`,
      );
      let waits = 0;
      const done: string[] = [];
      const waiting = withLock(
        one,
        async () => void done.push('mine'),
        () => waits++,
      );
      await pause(60);
      expect([waits, done]).to.deep.equal([1, []]);
      keeper.kill('SIGKILL');
      await waiting;
      expect(done).to.deep.equal(['mine']);
    } finally {
      keeper.kill('SIGKILL');
      await killed;
    }
    (await holdFolder(folder))();
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  it('of two threads of work in one process, the second waits for the first', async () => {
    const path = join(newFolder(), 'deep', 'lock');
    const order: string[] = [];
    const work = (name: string) =>
      withLock(path, async () => {
        order.push(`${name} begins`);
        await pause(5);
        order.push(`${name} ends`);
      });
    await Promise.all([work('a'), work('b'), work('c')]);
    for (let i = 0; i < 6; i += 2) expect(order[i].replace('begins', 'ends')).to.equal(order[i + 1]);
  });

  it('is believed dead by its number and its beginning, on this machine, and by its silence on another', () => {
    const path = join(newFolder(), 'lock');
    const mine = tryLock(path);
    const text = JSON.parse(readFileSync(path, 'utf8'));
    (mine as () => void)();
    const isTaken = (change: object) => {
      writeFileSync(path, JSON.stringify({ ...text, ...change }));
      const lock = tryLock(path);
      if (typeof lock === 'function') lock();
      return typeof lock !== 'function';
    };
    expect(isTaken({ pid: process.ppid, began: '0' })).to.equal(!existsSync('/proc/self/stat'));
    expect(isTaken({ pid: 2 ** 30 })).to.equal(false);
    expect(isTaken({ host: `not ${hostname()}`, pid: 2 ** 30 })).to.equal(true);
    expect(isTaken({})).to.equal(false); // of this process, which does not hold it: it was killed in a test
  });

  it('is freed by its owner alone', () => {
    const path = join(newFolder(), 'lock');
    const mine = tryLock(path) as () => void;
    writeFileSync(path, "another's");
    mine();
    expect(readFileSync(path, 'utf8')).to.equal("another's");
  });

  it('takes folders away with it that were made for it and stayed empty', async () => {
    const folder = newFolder();
    const free = await holdFolder(join(folder, 'a', 'b'));
    expect(existsSync(join(folder, 'a', 'b', '.lock'))).to.equal(true);
    free();
    expect(existsSync(join(folder, 'a'))).to.equal(false);
    const again = await holdFolder(join(folder, 'a', 'b'));
    writeFileSync(join(folder, 'a', 'result'), '');
    again();
    expect(readdirSync(join(folder, 'a'))).to.deep.equal(['result']);
  });
});
