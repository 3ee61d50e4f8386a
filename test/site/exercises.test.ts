import { dirname } from 'node:path';
import { expect } from 'chai';
import { exercisesOf } from '../../docs/site/exercises.ts';
import { PAGES } from '../../docs/site/pages.ts';
import { visitForSuite } from './site.ts';

/** The tests that mocha runs on the solutions are those that a page runs on what its reader writes. */
describe('the exercises', () => {
  const site = visitForSuite();

  for (const { name, source } of PAGES) {
    const exercises = exercisesOf(dirname(source));
    if (exercises.length === 0) continue;
    it(`${exercises.length} of ${name}: the beginning is wrong, the solution is right, and remembered`, async () => {
      const page = await site.open(`${name}.html`);
      const places = page.locator('.exercise');
      expect(await places.count()).to.equal(exercises.length);
      for (const [i, { beginning, solution }] of exercises.entries()) {
        const place = places.nth(i);
        const check = place.getByRole('button', { name: 'Check' });
        const output = place.getByRole('log');
        expect(await place.getByRole('textbox').inputValue()).to.equal(beginning);
        expect(await place.getByText('Solution', { exact: true }).isVisible()).to.equal(false);
        await check.click();
        await place.locator('.mistake').waitFor();
        const imports = beginning.match(/^import .*$/gm) ?? [];
        await place.getByRole('textbox').fill([...imports, solution].join('\n'));
        await check.click();
        await place.locator('button:not(:disabled)', { hasText: 'Check' }).waitFor();
        expect(await output.textContent(), `exercise ${i + 1}`).to.match(/^✓ /);
      }
      await page.reload();
      await page
        .getByText('✓ solved')
        .nth(exercises.length - 1)
        .waitFor();
      expect(await places.first().getByRole('textbox').inputValue()).to.contain(exercises[0].solution);
      await page.context().close();
    });
  }

  it('a hint comes before the solution, and a mistake has its line', async () => {
    const page = await site.open('chapter03.html');
    const place = page.getByRole('region', { name: 'Exercise 1' });
    await place.getByText('Hint', { exact: true }).press('Enter');
    await place.getByText('Solution', { exact: true }).press('Enter');
    await place.getByText('largest = x.amax').waitFor();
    await place.getByRole('textbox').fill('export function stableSoftmax(x) {\n  return x.nothing();\n}');
    await place.getByRole('button', { name: 'Check' }).press('Enter');
    await place.getByText(/^line 2: /).waitFor();
    await page.context().close();
  });

  it('nothing went wrong unseen', () => {
    expect(site.faults).to.deep.equal([]);
  });
});
