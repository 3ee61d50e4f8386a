import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';

/** Bundles the tests and the GPU's worker for a browser. */

/** What Node alone has: the tests read fixtures with it, which here come from the server; the rest is not called. */
const WITHOUT_NODE = `
  exports.readFileSync = (url) => {
    const request = new XMLHttpRequest();
    request.open('GET', url, false);
    request.send();
    return request.responseText;
  };`;

const withoutNode: Plugin = {
  name: 'without Node',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:/ }, ({ path }) => ({ path, namespace: 'node' }));
    onLoad({ filter: /./, namespace: 'node' }, () => ({ contents: WITHOUT_NODE, loader: 'js' }));
  },
};

async function bundle(path: string, mode: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(path, import.meta.url))],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    loader: { '.wasm': 'binary' },
    define: { 'process.env.GPU_MODES': JSON.stringify(mode) },
    plugins: [withoutNode],
    logLevel: 'error',
  });
  return outputFiles[0].text;
}

/** The scripts by the paths under which the browser looks for them. */
export async function bundleForBrowser(mode: string): Promise<Map<string, string>> {
  return new Map([
    ['/tests.js', await bundle('./tests.ts', mode)],
    ['/worker.ts', await bundle('../../../lib/backend/gpu/browser/worker.ts', mode)],
  ]);
}
