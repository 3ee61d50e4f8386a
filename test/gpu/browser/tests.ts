import 'mocha/mocha.js';

/** Runs the tests of one mode in a browser. This is a worker there, since only a worker may wait for another one. */

mocha.setup({ ui: 'bdd', timeout: 600_000, reporter: class {} as never });
await import('../operations.test.ts');
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
