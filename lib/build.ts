import { execFileSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';

/**
 * Makes dist/, which is what `npm pack` packs: the library in one file for Node and one for browsers, each with the program
 * of the GPU's worker beside it, and the types.
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

/** The types, in which what differs between Node and browsers is named as Node has it. */
function writeTypes(): void {
  const types = join(DIST, 'types');
  const flags = ['--noEmit', 'false', '--declaration', '--emitDeclarationOnly', '--rootDir', 'lib'];
  const project = join(ROOT, 'lib', 'tsconfig.json');
  const compiler = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  execFileSync(process.execPath, [compiler, '-p', project, ...flags, '--outDir', types], {
    cwd: ROOT,
    stdio: 'inherit',
  });
  for (const name of readdirSync(types, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.d.ts')) continue;
    const file = join(types, name);
    const here = (target: string) => {
      const path = relative(dirname(file), join(types, target)).replaceAll('\\', '/');
      return path.startsWith('.') ? path : `./${path}`;
    };
    const text = readFileSync(file, 'utf8')
      .replace(/#platform\/lib\/([\w/]+)/g, (_, path) => here(`${path}.node.js`))
      .replace(/#gpu\/([\w/]+)/g, (_, path) => here(`backend/gpu/node/${path}.js`))
      .replace(/(['"]\.[^'"]+)\.ts(['"])/g, '$1.js$2');
    writeFileSync(file, text);
  }
}

rmSync(DIST, { recursive: true, force: true });
await bundle('node');
await bundle('browser');
for (const kernels of ['kernels.wide.wasm', 'kernels.relaxed.wasm', 'kernels.simd.wasm']) {
  cpSync(join(ROOT, 'lib', 'backend', 'wasm', kernels), join(DIST, 'node', kernels));
}
writeTypes();
