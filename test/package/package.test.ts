import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { build } from 'esbuild';
import { findBrowser, reportOf } from '../support/browser.ts';

/** The package as others get it: packed, installed into an empty folder, and used from there. */

const execute = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const MOST_PACKAGES = 25;
/** Other versions of Node to run it on, as paths separated by colons. */
const NODES = [process.execPath, ...(process.env.PACKAGE_NODES?.split(':').filter(Boolean) ?? [])];
const VITE = 'vite@8';
/** A step's garbage is some 50 MiB: 180 steps that leaked would leave gigabytes. */
const FLAT_MIB = 128;

interface Training {
  readonly error?: string;
  readonly engine: string;
  readonly threads: number;
  readonly losses: readonly number[];
  /** MiB after each step. */
  readonly memory: readonly number[];
  readonly isolated: boolean;
  readonly collector: boolean;
}

interface Asked {
  readonly error?: string;
  readonly engine?: string;
  readonly continued: string;
  readonly answer: { readonly label: string; readonly probability: number };
}

describe('the package', () => {
  let project: string;
  let expected: number[];
  /** What Node answers about a model with an adapter. */
  let asked: Asked;
  const npm = (...args: string[]) => execute('npm', args, { cwd: project });

  before(async () => {
    project = mkdtempSync(join(tmpdir(), 'package-'));
    cpSync(fileURLToPath(new URL('project/', import.meta.url)), project, { recursive: true });
    writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'reader', type: 'module' }));
    const { stdout } = await execute('npm', ['pack', '--silent', '--pack-destination', project], {
      cwd: ROOT,
      maxBuffer: 2 ** 26,
    });
    await npm('install', '--silent', '--no-audit', '--no-fund', `./${stdout.trim().split('\n').at(-1)}`);
  });
  after(() => rmSync(project, { recursive: true, force: true }));

  it(`brings at most ${MOST_PACKAGES} packages`, () => {
    const modules = join(project, 'node_modules');
    const packages = readdirSync(modules).flatMap((name) =>
      name.startsWith('@') ? readdirSync(join(modules, name)) : name.startsWith('.') ? [] : [name],
    );
    expect(packages).to.include('llms-from-scratch-ts');
    expect(packages.length, packages.join(', ')).to.be.at.most(MOST_PACKAGES);
  });

  for (const node of NODES) {
    it(`trains from plain JavaScript in ${node}`, async () => {
      const { stdout, stderr } = await execute(node, ['node.js'], { cwd: project });
      const { engine, losses } = JSON.parse(stdout);
      expect(stderr).to.equal('');
      expect(engine).to.equal('wasm');
      expect(losses.at(-1)).to.be.below(losses[0]);
      expected ??= losses;
      for (const [i, loss] of losses.entries()) expect(loss).to.be.closeTo(expected[i], 1e-4);
    });
  }

  for (const node of NODES) {
    it(`runs README's example as plain JavaScript in ${node}`, async () => {
      const [, example] = /## In your own code\n\n```ts\n(.*?)```/s.exec(
        readFileSync(join(ROOT, 'README.md'), 'utf8'),
      )!;
      const program = example.replace("'./lib/index.ts'", "'llms-from-scratch-ts'");
      writeFileSync(join(project, 'readme.js'), program);
      const { stdout, stderr } = await execute(node, ['readme.js'], { cwd: project });
      expect(stderr).to.equal('');
      expect(stdout).to.match(/^tensor\(\d\.\d{4}, grad_fn=/);
    });
  }

  for (const node of NODES) {
    it(`asks a model with an adapter, from paths and from Files, in ${node}`, async () => {
      const llama = join(ROOT, 'test', 'fixtures', 'llama');
      const args = ['models.js', join(llama, 'tiny'), join(llama, 'adapter')];
      const { stdout, stderr } = await execute(node, args, { cwd: project });
      const { onDisk, fromFiles } = JSON.parse(stdout);
      expect(stderr).to.equal('');
      expect(onDisk.continued).to.be.a('string').that.has.length.above(0);
      expect(onDisk.answer.label).to.be.oneOf(['ham', 'spam']);
      expect(fromFiles).to.eql(onDisk);
      asked ??= onDisk;
    });
  }

  it('has types of its own', async () => {
    const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
    await execute(process.execPath, [tsc, '-p', '.'], { cwd: project }).catch(({ stdout }) => {
      expect.fail(stdout);
    });
  });

  /** Opens the page that a bundler has made, and waits until its worker has trained. */
  async function inBrowser(folder: string, page: string, isolated: boolean): Promise<Training> {
    const files = new Map([['/', page]]);
    const options = { files, folder: pathToFileURL(`${folder}/`), isolated, timeoutMs: 240_000 };
    const training = await reportOf<Training>(findBrowser()!, options);
    expect(training.error).to.equal(undefined);
    expect(training.collector, 'a collector to call').to.equal(false);
    expect(training.isolated).to.equal(isolated);
    expect(training.engine).to.equal('wasm');
    for (const [i, loss] of expected.entries()) expect(training.losses[i]).to.be.closeTo(loss, 1e-3);
    return training;
  }

  it('is bundled by esbuild, and trains on one thread in a page that is not isolated', async function () {
    if (!findBrowser()) {
      console.log('    skipped: no Chromium is installed');
      return this.skip();
    }
    const outdir = join(project, 'by-esbuild');
    await build({
      entryPoints: ['page.js', 'worker.js'].map((name) => join(project, name)),
      outdir,
      bundle: true,
      format: 'esm',
      logLevel: 'error',
    });
    const page = '<!doctype html><body data-steps="5"><script type="module" src="/page.js"></script></body>';
    const { threads } = await inBrowser(outdir, page, false);
    expect(threads).to.equal(1);
  });

  it('asks a model with an adapter in a worker, from Files', async function () {
    if (!findBrowser()) {
      console.log('    skipped: no Chromium is installed');
      return this.skip();
    }
    const outdir = join(project, 'models-by-esbuild');
    await build({
      entryPoints: ['models-page.js', 'models-worker.js'].map((name) => join(project, name)),
      outdir,
      bundle: true,
      format: 'esm',
      logLevel: 'error',
    });
    for (const folder of ['tiny', 'adapter'])
      cpSync(join(ROOT, 'test', 'fixtures', 'llama', folder), join(outdir, folder), { recursive: true });
    const page = '<!doctype html><body><script type="module" src="/models-page.js"></script></body>';
    const options = { files: new Map([['/', page]]), folder: pathToFileURL(`${outdir}/`), timeoutMs: 60_000 };
    const { error, engine, continued, answer } = await reportOf<Asked>(findBrowser()!, options);
    expect(error).to.equal(undefined);
    expect(engine).to.equal('wasm');
    expect(continued).to.equal(asked.continued);
    expect(answer.label).to.equal(asked.answer.label);
    expect(answer.probability).to.be.closeTo(asked.answer.probability, 1e-5);
  });

  it('is bundled by Vite, and 200 steps of LoRA on threads leave the memory flat', async function () {
    if (!findBrowser()) {
      console.log('    skipped: no Chromium is installed');
      return this.skip();
    }
    await npm('install', '--silent', '--no-audit', '--no-fund', VITE);
    await npm('exec', '--', 'vite', 'build', '--logLevel', 'warn', '--outDir', 'by-vite');
    const folder = join(project, 'by-vite');
    const page = readFileSync(join(folder, 'index.html'), 'utf8');
    const { memory, threads } = await inBrowser(folder, page, true);
    expect(threads).to.equal(availableParallelism());
    expect(memory).to.have.length(200);
    const growth = Math.max(...memory.slice(20)) - memory[20];
    expect(growth, `${memory.join(' ')} MiB`).to.be.at.most(FLAT_MIB);
  });
});
