import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { run as appendixA } from '../../chapters/appendixA/run.ts';
import { run as appendixE } from '../../chapters/appendixE/run.ts';
import { run as chapter02 } from '../../chapters/chapter02/run.ts';
import { run as chapter03 } from '../../chapters/chapter03/run.ts';
import { run as chapter04 } from '../../chapters/chapter04/run.ts';
import { SPAM_OPTIONS } from '../../chapters/chapter06/index.ts';
import { Notebook } from '../../chapters/common/notebook.ts';
import { defaultValues } from '../../chapters/common/options.ts';
import { PAGES } from '../../docs/site/pages.ts';
import { visitForSuite } from './site.ts';

/** Cells whose numbers are drawn without a seed, in the book too. */
const UNSEEDED: Record<string, number[]> = { appendixA: [38] };

/** Chapters and examples print in a page what they print in Node. */
describe('programs in the page', () => {
  const site = visitForSuite();

  const WITHOUT_NETWORK: Record<string, string> = {
    chapter02: '--text own',
    chapter05: '--text own',
    chapter06: '--data stand-in',
    chapter07: '--data own',
    appendixD: '--text own',
    appendixE: '--data stand-in',
  };
  for (const { chapter } of PAGES) {
    if (!chapter) continue;
    it(`${chapter} begins`, async () => {
      const page = await site.open(`${chapter}.html`);
      const panel = page.locator('[data-panel="run"]');
      await panel.getByLabel('Options').fill(WITHOUT_NETWORK[chapter] ?? '');
      await panel.getByRole('button', { name: 'Run' }).click();
      await panel.locator('.output > :nth-child(3)').waitFor();
      const mistakes = await panel.locator('.mistake').allTextContents();
      // Without a network a Llama's chapter gets as far as its model.
      expect(mistakes.filter((text) => !text.includes('cannot be downloaded'))).to.deep.equal([]);
      await page.context().close();
    });
  }

  const out = '/tmp/site-test';
  const spam = { ...defaultValues(SPAM_OPTIONS), data: 'stand-in', epochs: 0, out };
  const chapters: [string, string, (nb: Notebook) => unknown][] = [
    ['chapter02', '--text own', (nb) => chapter02(nb, { text: 'own' })],
    ['chapter03', '', (nb) => chapter03(nb)],
    ['chapter04', '', (nb) => chapter04(nb, { out })],
    ['appendixA', '', (nb) => appendixA(nb, { out })],
    ['appendixE', '--data stand-in --epochs 0', (nb) => appendixE(nb, spam as never)],
  ];
  for (const [chapter, options, run] of chapters) {
    it(`${chapter} has Node's cells`, async () => {
      const page = await site.open(`${chapter}.html`);
      const panel = page.locator('[data-panel="run"]');
      await panel.getByLabel('Options').fill(options);
      await panel.getByRole('button', { name: 'Run' }).click();
      await panel.getByText('Done.').waitFor();
      const printed = await panel.locator('.cell').evaluateAll((cells) => {
        return cells.map(({ dataset }) => [Number(dataset.cell), dataset.printed] as [number, string]);
      });
      const notebook = new Notebook(chapter, () => {});
      await run(notebook);
      const timeless = (text: string) => text.replaceAll(/in [\d.]+ (seconds|minutes)/g, '');
      const comparable = (cells: [number, string][]) => {
        const seeded = cells.filter(([cell]) => !UNSEEDED[chapter]?.includes(cell));
        return Object.fromEntries(seeded.map(([cell, text]) => [cell, timeless(text)]));
      };
      const there = notebook.cells.map(({ cell, printed: text }): [number, string] => [cell, text]);
      expect(comparable(printed)).to.deep.equal(comparable(there));
      await page.context().close();
    });
  }

  it('chapter 3 is the book’s, cell by cell', async () => {
    const page = await site.open('chapter03.html');
    const panel = page.locator('[data-panel="run"]');
    await panel.getByRole('button', { name: 'Run' }).click();
    await panel.getByText('Done.').waitFor();
    expect(await panel.locator('.verdict.equal').count()).to.equal(34);
    await page.context().close();
  });

  it('a mistake on the command line is one line', async () => {
    const page = await site.open('chapter06.html');
    const panel = page.locator('[data-panel="run"]');
    await panel.getByLabel('Options').fill('--rnk 4');
    await panel.getByRole('button', { name: 'Run' }).click();
    await panel.getByText('did you mean --rank?').waitFor();
    expect(await panel.locator('.mistake').count()).to.equal(1);
    await page.context().close();
  });

  for (const { source, name } of PAGES) {
    const promised = examplesOf(source);
    if (promised.length === 0) continue;
    it(`${promised.length} examples of ${name} print what they say`, async () => {
      const page = await site.open(`${name}.html`);
      const examples = page.locator('.example');
      expect(await examples.count()).to.equal(promised.length);
      for (const [i, text] of promised.entries()) {
        const example = examples.nth(i);
        await example.getByRole('button', { name: 'Run' }).click();
        await example.locator('button:not(:disabled)', { hasText: 'Run' }).waitFor();
        const printed = (await example.getByRole('log').textContent())!.trimEnd();
        // One that promises nothing shows what is different each time, or nothing.
        if (text !== '') expect(printed, `example ${i + 1}`).to.equal(text);
        else expect(await example.locator('.mistake').count(), `example ${i + 1}`).to.equal(0);
      }
      await page.context().close();
    });
  }

  it('an example can be edited, and a mistake has its line', async () => {
    const page = await site.open('chapter03.html');
    const example = page.locator('.example').first();
    await example.getByRole('button', { name: 'Edit' }).click();
    const editor = example.getByRole('textbox');
    await editor.fill('const three: number = 3;\nconsole.log(three * 2);');
    await example.getByRole('button', { name: 'Run' }).click();
    await example.getByText('6', { exact: true }).waitFor();
    await editor.fill(
      "import { tensor } from '../../lib/index.ts';\n\ntensor([1, 2]).matmul(tensor([[1], [2], [3]]));",
    );
    await example.getByRole('button', { name: 'Run' }).click();
    await example.getByText(/^line 3: /).waitFor();
    await page.context().close();
  });

  it('an example can import what lies deeper than a chapter’s own folder', async () => {
    const page = await site.open('llama.html');
    const example = page.locator('.example').first();
    await example.getByRole('button', { name: 'Edit' }).click();
    await example
      .getByRole('textbox')
      .fill("import { SMOLLM2_135M } from './model/config.ts';\n\nconsole.log(SMOLLM2_135M.nLayers);");
    await example.getByRole('button', { name: 'Run' }).click();
    await example.getByText('30', { exact: true }).waitFor();
    await page.context().close();
  });

  it('a training that is cut off goes on after a reload, in its own tab', async () => {
    const page = await site.open('appendixE.html');
    const panel = page.locator('[data-panel="run"]');
    await panel.getByLabel('Options').fill('--data stand-in --epochs 1 --save-every 2');
    await panel.getByRole('button', { name: 'Run' }).click();
    await progressAt(panel.locator('.progress'), /lora .* ([3-9]|\d\d+)\/130/, page);
    const second = await page.context().newPage();
    await second.goto(page.url());
    await second.locator('[data-panel="run"]').getByRole('button', { name: 'Run' }).waitFor();
    const offers = second.getByRole('button', { name: 'Go on' });
    expect(await offers.isVisible(), 'a second tab has checkpoints of its own').to.equal(false);
    await second.close();
    await page.reload();
    await panel.getByRole('button', { name: 'Go on' }).click();
    await panel.getByText(/Going on after step \d/).waitFor();
    await panel.getByRole('button', { name: 'Stop' }).click();
    await panel.getByText('Stopped.').waitFor();
    await page.context().close();
  });

  it('nothing went wrong unseen', () => {
    expect(site.faults).to.deep.equal([]);
  });
});

async function progressAt(place: ReturnType<Page['locator']>, pattern: RegExp, page: Page): Promise<void> {
  const handle = await place.elementHandle();
  await page.waitForFunction(
    ([element, text]) => new RegExp(text as string).test((element as Element).textContent!),
    [handle, pattern.source] as const,
  );
}

/** What each ```ts block of a page says that it prints. */
function examplesOf(source: string): string[] {
  const markdown = readFileSync(new URL(`../../${source}`, import.meta.url), 'utf8');
  return Array.from(markdown.matchAll(/^```ts\n([\s\S]*?)^```$/gm), ([, code]) => {
    const promised = code.split('\n').filter((line) => line.startsWith('// '));
    return promised.map((line) => line.slice(3)).join('\n');
  });
}
