import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { writeParts } from '../../../../chapters/datasets/index.ts';
import { messages } from '../../chapter06/tiny.ts';

const ROOT = new URL('../../../../', import.meta.url);

describe('npm run compare', function () {
  this.timeout(120_000);
  const folder = mkdtempSync(join(tmpdir(), 'compare-'));
  const [data, runs, page] = ['data', 'runs', 'results.md'].map((name) => join(folder, name));
  before(() => writeParts(data, { train: messages(16), valid: messages(4), test: messages(4) }, false));
  after(() => rmSync(folder, { recursive: true }));

  /** Runs the command to its end, or stops it when it has printed a line that begins with `until`. */
  function compare(
    args: string[],
    until?: string,
    folderOfRuns = runs,
  ): Promise<{ code: number | null; out: string; err: string }> {
    const argv = [
      '--import',
      'tsx',
      'chapters/commands/compare/run.ts',
      ...args,
      '--runs',
      folderOfRuns,
      '--out',
      page,
    ];
    const program = spawn(process.execPath, argv, { cwd: ROOT });
    let [out, err] = ['', ''];
    program.stderr.on('data', (text) => (err += text));
    program.stdout.on('data', (text) => {
      out += text;
      if (until && out.includes(`\n${until}`)) program.kill('SIGINT');
    });
    // A slow machine shows lines of progress as well.
    const withoutProgress = () => err.replace(/^.*[█░].*\n/gm, '');
    return new Promise((resolve) =>
      program.on('close', (code) => resolve({ code, out, err: withoutProgress() })),
    );
  }

  const tiny = ['--data', data, '--methods', 'head', '--seeds', '1', '--epochs', '1', '--max-length', '8'];
  const linesOf = (text: string) => text.trimEnd().split('\n');
  const kept = () => linesOf(readFileSync(join(runs, 'runs.jsonl'), 'utf8'));

  it('is stopped and goes on: what was finished is not made again, and the page has all of it', async () => {
    const stopped = await compare(tiny, 'head on pretrained weights, seed 42: ');
    expect(stopped.code).to.equal(130);
    expect(stopped.err).to.equal(
      'stopped; the finished runs are kept, and the same command goes on with the next\n',
    );
    expect(existsSync(page)).to.equal(false);
    const [first, ...more] = kept();
    expect(more).to.deep.equal([]);

    const finished = await compare(tiny);
    expect([finished.code, finished.err]).to.deep.equal([0, '']);
    expect(finished.out).to.include(`1 of 2 runs are kept in ${runs}`);
    expect(kept()).to.have.length(2);
    expect(kept()[0]).to.equal(first);
    const text = readFileSync(page, 'utf8');
    const rows = linesOf(text).filter((line) => /^\| (pretrained|random) /.test(line));
    expect(rows).to.have.length(2);
    const results = kept().map((line) => JSON.parse(line).result);
    results.forEach(({ trained, accuracy }, i) => {
      expect(trained).to.equal(258);
      expect(rows[i].split(' | ').slice(2, 5)).to.deep.equal([
        '258',
        '0.004%',
        `${(100 * accuracy.test).toFixed(1)}%`,
      ]);
    });
    expect(text).to.include('--data data --methods head --seeds 1 --epochs 1 --max-length 8');
    expect(text).to.include(
      'Data: data, seed 42; 16 messages to learn from, 4 for validation, 4 for the test.',
    );
    expect(existsSync(join(folder, 'results.svg'))).to.equal(true);
    expect(readdirSync(runs)).to.deep.equal(['runs.jsonl']);
  });

  it('says what is wrong before it trains anything', async () => {
    const mistakes = [
      [['--methods', 'head,lora-2'], "--methods has 'lora-2': 'all', or some of head, last-block"],
      [['--max-length', '300'], '--max-length 300 is too long: mini sees at most 256 tokens'],
      [['--seeds', '0'], "--seeds must be a whole number, at least 1, not '0'"],
    ] as const;
    // Side by side, so each in a folder of its own: two runs that write to one folder are refused.
    const attempts = mistakes.map(([args], i) =>
      compare(['--data', data, ...args], undefined, join(folder, `mistake-${i}`)),
    );
    for (const [i, { code, out, err }] of (await Promise.all(attempts)).entries()) {
      expect(code).to.be.oneOf([1, 2]);
      expect(err).to.match(/^error: [^\n]+\n$/);
      expect(err).to.include(mistakes[i][1]);
      expect(out).not.to.include('weights, seed');
    }
  });
});
