import 'mocha/mocha.js';

/** Runs the tests of one mode in a browser. This is a worker there, since only a worker may wait for another one. */

mocha.setup({ ui: 'bdd', timeout: 600_000, reporter: class {} as never });
// Views and odd sizes are tried in Node, on the same kernels: a browser's software driver takes minutes for them.
const { describeOperations } = await import('../../ops/check.ts');
const { modeByName, TESTED_MODES } = await import('../modes.ts');
for (const mode of TESTED_MODES) {
  describeOperations(`gpu ${mode}`, modeByName(mode), { tolerance: 1e-4, differences: false, views: false });
}
await import('../kernels.test.ts');
await import('../training.test.ts');

let passed = 0;
const failures: string[] = [];
const warnings: string[] = [];
console.warn = (line) => warnings.push(String(line));
mocha
  .run()
  .on('pass', () => passed++)
  .on('fail', (test, error) => failures.push(`${test.fullTitle()}: ${error.message}`))
  .on('end', () =>
    fetch('/report', { method: 'POST', body: JSON.stringify({ passed, failures, warnings }) }),
  );
