/** Checks an exercise: mocha's file of tests for the solution is run on the reader's code. */

import { UserError } from '../../../lib/index.ts';
import { readFileSync } from '../node/fs.ts';
import { importModule, runExample, runModule } from './example.ts';

type Test = () => unknown;

/**
 * @param folder of the chapter, whose other solutions stay as they are
 * @param number of the exercise: its tests begin with it
 * @throws UserError with the expectation of the first test that fails; or any error that the code throws
 */
export async function checkExercise(code: string, folder: string, number: number): Promise<void> {
  const own = await runExample(code, folder);
  const solutions = (await importModule('./exercises.ts', folder)) as object;
  const { config } = (await importModule('chai', folder)) as typeof import('chai');
  config.truncateThreshold = 0; // expected values are shown in full
  const tests = new Map<string, Test>();
  const emptyHanded = new Set<string>();
  await runModule(readFileSync(`/test/${folder}/exercises.test.ts`, 'utf8') as string, `test/${folder}`, {
    modules: { [`${folder}/exercises.ts`]: { ...solutions, ...watched(own, solutions, emptyHanded) } },
    globals: {
      describe: (_title: string, body: () => void) => body(),
      it: (title: string, test: Test) => tests.set(title, test),
    },
  });
  for (const [title, test] of tests) {
    if (!title.startsWith(`${number}:`)) continue;
    try {
      await test();
    } catch (error) {
      const [name] = emptyHanded;
      if (name) throw new UserError(`${name} returned nothing yet`);
      if ((error as Error | null)?.name !== 'AssertionError') throw error;
      throw new UserError((error as Error).message);
    }
    console.log(`✓ ${title.slice(2).trim()}`);
  }
}

type Exports = Record<string, unknown>;
type Call = (...values: unknown[]) => unknown;

/**
 * The reader's own exports. A function that returns nothing where the solution returns something is noted, and so is a
 * class without the methods of the solution's: the test's message about `undefined` would help nobody.
 */
function watched(own: object, solutions: object, emptyHanded: Set<string>): Exports {
  const kept = Object.entries(own).map(([name, value]) => {
    const solution = (solutions as Exports)[name];
    if (typeof value !== 'function' || typeof solution !== 'function') return [name, value];
    if (isClass(solution)) {
      const missing = methodsOf(solution).some((method) => !methodsOf(value).includes(method));
      if (missing) emptyHanded.add(name);
      return [name, value];
    }
    if (!/\breturn\b|=>\s*[^{\s]/.test(String(solution))) return [name, value];
    const note = (result: unknown) => {
      if (result === undefined) emptyHanded.add(name);
      return result;
    };
    const call: Call = (...values) => {
      const result = (value as Call)(...values);
      return result instanceof Promise ? result.then(note) : note(result);
    };
    return [name, call];
  });
  return Object.fromEntries(kept);
}

const isClass = (value: unknown): boolean => /^class\b/.test(String(value));
const methodsOf = (value: unknown): string[] =>
  Object.getOwnPropertyNames((value as { prototype?: object }).prototype ?? {});
