import { reportOf } from '../../support/browser.ts';
import { bundleForBrowser } from './bundle.ts';

/** Runs the tests of one mode in a browser, on a software driver. */

export interface Report {
  readonly passed: number;
  /** Title and message of each. */
  readonly failures: readonly string[];
  readonly warnings: readonly string[];
}

const FLAGS = [
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--enable-unsafe-swiftshader',
  '--use-angle=swiftshader',
];
const PAGE = `<!doctype html><script>
  const report = (failure) =>
    fetch('/report', { method: 'POST', body: JSON.stringify({ passed: 0, failures: [failure], warnings: [] }) });
  const worker = new Worker('/tests.js', { type: 'module' });
  worker.onerror = ({ message }) => report('the tests do not start: ' + message);
</script>`;

export async function runInBrowser(browser: string, mode: string, timeoutMs: number): Promise<Report> {
  const files = new Map([['/', PAGE], ...(await bundleForBrowser(mode))]);
  const folder = new URL('../../', import.meta.url); // the tests read /fixtures/…
  return reportOf(browser, { files, folder, flags: FLAGS, timeoutMs });
}
