import { execFileSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';

/**
 * Makes dist/, which is what `npm pack` packs: the library in one file for Node and one for browsers, each with the program
 * of the GPU's worker beside it, the chapters' models, and the types.
 */

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const DIST = join(ROOT, 'dist');

/** The GPU's worker is a file of its own in lib/, and in dist/ beside the library. */
const workerBeside: Plugin = {
  name: 'worker beside',
  setup({ onLoad }) {
    onLoad({ filter: /gpu[\\/](node|browser)[\\/]spawn\.ts$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replace("'./worker.ts'", "'./gpu-worker.js'"),
      loader: 'ts',
    }));
  },
};

async function bundle(platform: 'node' | 'browser'): Promise<void> {
  await build({
    entryPoints: {
      index: join(ROOT, 'lib', 'index.ts'),
      'gpu-worker': join(ROOT, 'lib', 'backend', 'gpu', platform, 'worker.ts'),
    },
    outdir: join(DIST, platform),
    bundle: true,
    packages: 'external',
    format: 'esm',
    platform,
    target: 'es2022',
    loader: { '.wasm': 'binary' },
    keepNames: true, // a printed model shows the names of its classes
    plugins: [workerBeside],
    logLevel: 'warning',
  });
}

/**
 * The chapters' models as one file, for Node and for browsers: they know nothing of either. They share the library with
 * whoever imports both, and what the chapters print is left out, since nothing here uses it.
 */
async function bundleModels(): Promise<void> {
  const unused = (path: string) => ({ path, external: true, sideEffects: false });
  const chapters: Plugin = {
    name: 'the chapters',
    setup({ onResolve, resolve }) {
      onResolve({ filter: /lib\/index\.ts$/ }, () => ({ path: 'llms-from-scratch-ts', external: true }));
      // Of the packages that chapters use, two are part of the models: a pattern that is not theirs is left out.
      onResolve({ filter: /^[^./]/ }, ({ path, kind }) =>
        kind === 'entry-point' || /^(@huggingface\/jinja|gpt-tokenizer)/.test(path)
          ? undefined
          : unused(path),
      );
      onResolve({ filter: /./ }, async ({ path, pluginData, ...rest }) => {
        if (pluginData === 'resolved' || rest.kind === 'entry-point') return undefined;
        return { ...(await resolve(path, { ...rest, pluginData: 'resolved' })), sideEffects: false };
      });
    },
  };
  await build({
    entryPoints: [join(ROOT, 'chapters', 'package', 'models.ts')],
    outdir: join(DIST, 'models'),
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    target: 'es2022',
    keepNames: true,
    plugins: [chapters],
    logLevel: 'warning',
  });
}

/** The types, in which what differs between Node and browsers is named as Node has it. */
function writeTypes(): void {
  const types = join(DIST, 'types');
  const compile = (project: string, rootDir: string, outDir: string) => {
    const flags = ['--noEmit', 'false', '--declaration', '--emitDeclarationOnly', '--rootDir', rootDir];
    const compiler = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
    const args = [compiler, '-p', join(ROOT, project, 'tsconfig.json'), ...flags, '--outDir', outDir];
    execFileSync(process.execPath, args, { cwd: ROOT, stdio: 'inherit' });
  };
  compile('lib', 'lib', types);
  // The library's types are there once: those of the chapters, which import it by its one door, lie beside them.
  const all = join(DIST, 'all');
  compile(join('chapters', 'package'), '.', all);
  renameSync(join(all, 'chapters'), join(types, 'chapters'));
  rmSync(all, { recursive: true });
  for (const name of readdirSync(types, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.d.ts')) continue;
    const file = join(types, name);
    const here = (target: string) => {
      const path = relative(dirname(file), join(types, target)).replaceAll('\\', '/');
      return path.startsWith('.') ? path : `./${path}`;
    };
    const text = readFileSync(file, 'utf8')
      .replace(/(?:\.\.\/)+lib\/index\.ts/g, () => here('index.js'))
      .replace(/#platform\/lib\/([\w/]+)/g, (_, path) => here(`${path}.node.js`))
      .replace(/#gpu\/([\w/]+)/g, (_, path) => here(`backend/gpu/node/${path}.js`))
      .replace(/(['"]\.[^'"]+)\.ts(['"])/g, '$1.js$2');
    writeFileSync(file, text);
  }
}

rmSync(DIST, { recursive: true, force: true });
await bundle('node');
await bundle('browser');
await bundleModels();
for (const kernels of ['kernels.wide.wasm', 'kernels.relaxed.wasm', 'kernels.simd.wasm']) {
  cpSync(join(ROOT, 'lib', 'backend', 'wasm', kernels), join(DIST, 'node', kernels));
}
writeTypes();
