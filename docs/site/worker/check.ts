/** Checks an exercise: the file of tests that mocha runs on the solution is run on what the reader wrote. */

import { UserError } from '../../../lib/index.ts';
import { readFileSync } from '../node/fs.ts';
import { importModule, runExample, runModule } from './example.ts';

type Test = () => unknown;

/**
 * @param folder of the chapter, whose other solutions stay as they are
 * @param number of the exercise: its tests begin with it
 * @throws UserError that says what the first test which fails expected; or whatever the code throws
 */
export async function checkExercise(code: string, folder: string, number: number): Promise<void> {
  const own = await runExample(code, folder);
  const solutions = (await importModule('./exercises.ts', folder)) as object;
  const { config } = (await importModule('chai', folder)) as typeof import('chai');
  config.truncateThreshold = 0; // what was expected, in full
  const tests = new Map<string, Test>();
  await runModule(readFileSync(`/test/${folder}/exercises.test.ts`, 'utf8') as string, `test/${folder}`, {
    modules: { [`${folder}/exercises.ts`]: { ...solutions, ...own } },
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
      if ((error as Error).name !== 'AssertionError') throw error;
      throw new UserError((error as Error).message);
    }
    console.log(`✓ ${title.slice(2).trim()}`);
  }
}
