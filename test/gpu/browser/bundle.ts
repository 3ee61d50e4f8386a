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
    onResolve({ filter: /select\.node\.ts$/ }, () => ({ path: pathOf('./select.ts') }));
    onResolve({ filter: /^node:|\.node\.ts$/ }, ({ path }) => ({ path, namespace: 'node' }));
    onLoad({ filter: /./, namespace: 'node' }, () => ({ contents: WITHOUT_NODE, loader: 'js' }));
  },
};

function pathOf(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}

async function bundle(path: string, mode: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [pathOf(path)],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
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
    ['/worker.browser.ts', await bundle('../../../lib/backend/gpu/worker.browser.ts', mode)],
  ]);
}
