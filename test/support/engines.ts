import { useBackend } from '../../lib/index.ts';

/** The CPU engines: each test of what an operation answers runs on both, wherever its file is run from. */
const ENGINES = ['js', 'wasm'] as const;

/**
 * The same tests on every CPU engine, chosen for them alone. An engine that is not there fails: nothing is skipped.
 */
export function onEachEngine(title: string, tests: () => void): void {
  for (const engine of ENGINES) {
    describe(`${title} on ${engine}`, () => {
      before(async () => {
        const { name, why } = await useBackend(engine);
        if (name !== engine) throw new Error(`there is no ${engine}: ${why}`);
      });
      // The library's own choice, which the files that choose none are tested on.
      after(async () => {
        await useBackend('wasm');
      });
      tests();
    });
  }
}
