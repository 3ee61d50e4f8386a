/**
 * The programs of the site, by esbuild: those of the page, and those of its workers. In the workers the chapters run as
 * they are, on a little Node of our own (node/): files in memory, a `process`, the words of a command line.
 */

import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build, type Plugin } from 'esbuild';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const HERE = join(ROOT, 'docs', 'site');
const NODE = join(HERE, 'node');

/** Files of the repository that chapters read when they run: they are in assets/, under the path they have here. */
const ASSETS = [
  'package.json',
  'lib/backend/wasm/kernels.relaxed.wasm',
  'lib/backend/wasm/kernels.simd.wasm',
  'chapters/models/mini/model.safetensors',
  'chapters/datasets/the-tide-clock.txt',
  'chapters/datasets/own-instructions.json',
  ...namesIn('test/chapters').map((name) => `test/chapters/${name}/exercises.test.ts`),
  ...namesIn('test/fixtures/figures').map((name) => `test/fixtures/figures/${name}`),
  ...namesIn('docs/site/adapter').map((name) => `docs/site/adapter/${name}`),
].filter((name) => existsSync(join(ROOT, name)));

/** What the tests of exercises import besides. */
const FOR_TESTS = [
  'test/support/close.ts',
  'test/chapters/chapter04/tiny.ts',
  'test/chapters/chapter06/tiny.ts',
  'test/chapters/appendixD/notebook-schedule.ts',
];

function namesIn(folder: string): string[] {
  return existsSync(join(ROOT, folder)) ? readdirSync(join(ROOT, folder)).sort() : [];
}

/** All modules that an example or a test may import, or a command may run: by path, what loads them. */
function modulesOfTheBook(): string {
  const chapters = readdirSync(join(ROOT, 'chapters'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `chapters/${name.replaceAll('\\', '/')}`)
    .filter((name) => !name.startsWith('chapters/commands/compare/')); // each of its runs is a process of its own
  const lines = ['lib/index.ts', ...chapters, ...FOR_TESTS].map((path) => {
    return `${JSON.stringify(path)}: () => import(${JSON.stringify(join(ROOT, path))}),`;
  });
  lines.push("chai: () => import('chai'),");
  return `export const modules = {\n${lines.join('\n')}\n};`;
}

/** What a page cannot offer, such as a keyboard to read lines from: an error when it is used. */
function absent(name: string): string {
  const refuse = `() => { throw new Error(${JSON.stringify(`${name} is not in a page`)}); }`;
  return `module.exports = Object.create(new Proxy({}, { get: () => ${refuse} }));`;
}

/** The imports that differ in a page. */
const inThePage: Plugin = {
  name: 'in the page',
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /^node:/ }, ({ path }) => {
      const twin = join(NODE, `${path.slice('node:'.length).replace('/', '-')}.ts`);
      return existsSync(twin) ? { path: twin } : { path, namespace: 'absent' };
    });
    onLoad({ filter: /.*/, namespace: 'absent' }, ({ path }) => ({ contents: absent(path) }));
    onResolve({ filter: /\/hub-file\.ts$/ }, () => ({ path: join(NODE, 'hub.ts') }));
    onResolve({ filter: /^csv-parse\/sync$/ }, () => ({
      path: join(ROOT, 'node_modules', 'csv-parse', 'dist', 'esm', 'sync.js'), // with a Buffer of its own
    }));
    onResolve({ filter: /^#platform\/lib\/backend\/wasm\/load$/ }, () => ({ path: join(NODE, 'load.ts') }));
    // Only where there is a command line: a worker without one leaves it out.
    onResolve({ filter: /^commander$/ }, () => ({
      path: join(ROOT, 'node_modules', 'commander', 'esm.mjs'),
      sideEffects: false,
    }));
    // Files: as Node has them, over the little Node's.
    onResolve({ filter: /^#platform\/lib\/io\/files$/ }, () => ({
      path: join(ROOT, 'lib', 'io', 'files.node.ts'),
    }));
    onResolve({ filter: /\/yieldToRuntime\.ts$/ }, ({ importer }) => {
      const twin = join(NODE, 'yieldToRuntime.ts');
      return importer === twin ? undefined : { path: twin };
    });
    onResolve({ filter: /^site:modules$/ }, () => ({ path: 'modules', namespace: 'site' }));
    onLoad({ filter: /.*/, namespace: 'site' }, () => ({ contents: modulesOfTheBook(), resolveDir: ROOT }));
    // A module's own address is that in the repository, which is `/` here.
    onLoad({ filter: /[\\/](chapters|test)[\\/].*\.ts$/ }, ({ path }) => {
      const url = JSON.stringify(`file:///${path.slice(ROOT.length).replaceAll('\\', '/')}`);
      return { contents: readFileSync(path, 'utf8').replaceAll('import.meta.url', url), loader: 'ts' };
    });
    onLoad({ filter: /gpu[\\/]browser[\\/]spawn\.ts$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replace("'./worker.ts'", "'./gpu-worker.js'"),
      loader: 'ts',
    }));
  },
};

/** Builds all programs into `folder`/code, and copies what they read to `folder`/assets. */
export async function bundle(folder: string): Promise<void> {
  const versions: Record<string, string> = {};
  for (const name of ASSETS) {
    const to = join(folder, 'assets', name);
    mkdirSync(dirname(to), { recursive: true });
    copyFileSync(join(ROOT, name), to);
    versions[name] = createHash('sha256').update(readFileSync(to)).digest('hex').slice(0, 8);
  }
  const common = {
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    splitting: true,
    minify: true,
    outdir: join(folder, 'code'),
    chunkNames: 'part-[hash]',
    define: { SITE_ASSETS: JSON.stringify(versions) },
    logLevel: 'warning',
  } as const;
  await build({ ...common, entryPoints: { page: join(HERE, 'client', 'page.ts') } });
  const worker: BuildOptions = {
    ...common,
    inject: [join(NODE, 'globals.ts')],
    plugins: [inThePage],
  };
  await build({
    ...worker,
    entryPoints: {
      program: join(HERE, 'worker', 'program.ts'),
      'gpu-worker': join(ROOT, 'lib', 'backend', 'gpu', 'browser', 'worker.ts'),
    },
    keepNames: true, // a printed model shows the names of its classes
  });
  // Separate from those programs, which may use all of the library: these contain only what they use of it.
  const entries = ['lab', 'classify'].map((name) => [name, join(HERE, 'worker', `${name}.ts`)]);
  await build({ ...worker, entryPoints: Object.fromEntries(entries) });
  await build({ ...worker, entryPoints: { pictures: join(HERE, 'pictures', 'worker.ts') } });
  // In the folder of the pages, so that it may serve them all.
  await build({
    ...common,
    splitting: false,
    entryPoints: [join(HERE, 'client', 'service-worker.ts')],
    outdir: folder,
  });
}
