import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { BrowserContext, Page } from 'playwright-core';
import { run as chapter06 } from '../../chapters/chapter06/run.ts';
import { Notebook } from '../../chapters/common/notebook.ts';
import { type Visit, visit } from './site.ts';

/** A training of 16 steps in the link's settings: batches of 64 of the stand-in's messages. */
const SHORT = 'lab.html#rank=2&epochs=1&batchSize=64&seed=42';

/** All messages are classified at the end of a training. */
const LONG = { timeout: 300_000 };

/** The losses that the lab's worker reports, to the last bit; they are kept in `losses` of the page. */
function noteLosses(): void {
  const losses: number[] = [];
  Object.assign(window, { losses });
  const Original = window.Worker;
  window.Worker = class extends Original {
    constructor(...given: ConstructorParameters<typeof Original>) {
      super(...given);
      this.addEventListener('message', ({ data }) => {
        if (typeof data?.loss === 'number') losses.push(data.loss);
      });
    }
  };
}

const lossesOf = (page: Page) => page.evaluate(() => (window as unknown as { losses: number[] }).losses);

describe('the lab, to a visitor who means ill', () => {
  let site: Visit;
  let context: BrowserContext;
  let page: Page;
  let folder: string;
  before(async function () {
    const found = await visit();
    if (!found) return this.skip();
    site = found;
    folder = mkdtempSync(join(tmpdir(), 'visitor-'));
    context = await site.context();
    await context.addInitScript(noteLosses);
    page = await context.newPage();
    await page.goto(site.url + SHORT);
    await inState('idle');
  });
  after(async () => {
    await site?.close();
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  const button = (name: string) => page.getByRole('button', { name, exact: true });
  const inState = (state: string) => page.locator(`[data-panel="lab"][data-state="${state}"]`).waitFor();
  const step = async () => Number(await page.getByLabel('Progress').getAttribute('data-step'));
  const atStep = (least: number) =>
    page.waitForFunction(
      (n) => Number(document.querySelector('.progress')!.getAttribute('data-step')) >= n,
      least,
    );

  it('settings that make no sense are refused beside the field, and nothing starts', async () => {
    for (const [name, wrong, said] of [
      ['Rank', '100', 'Rank must be a whole number from 1 to 64, not 100'],
      ['Epochs', '0', 'Epochs must be a whole number from 1 to 1000, not 0'],
      ['Learning rate', '-1', 'Learning rate must be a number above 0, not -1'],
      ['Alpha', '0', 'Alpha must be a number above 0, not 0'],
      ['Seed', '', 'Seed must be a whole number from 0, and is empty'],
      ['Batch size', '5000', 'Batch size must be a whole number from 1 to 1045, not 5000'],
    ]) {
      const field = page.getByLabel(name, { exact: true });
      const right = await field.inputValue();
      await field.fill(wrong);
      for (const pressed of ['Train', 'Step', 'Compare all methods']) {
        await button(pressed).click();
        const beside = field.locator('xpath=..').getByRole('alert');
        expect(await beside.textContent(), `${name}, ${pressed}`).to.equal(said);
      }
      expect(await field.getAttribute('aria-invalid')).to.equal('true');
      await field.fill(right);
      expect(await field.getAttribute('aria-invalid')).to.equal('false');
      await inState('idle');
    }
    expect(await step()).to.equal(0);
  });

  it('a refused message leaves the strength, the model and the training as they were', async () => {
    await button('Step').click();
    await atStep(1);
    await inState('idle');
    await page.getByLabel('Strength').fill('0.5');
    const message = page.getByLabel('Message', { exact: true });
    const right = await message.inputValue();
    const before = await page.getByLabel('Singular values').textContent();
    await message.fill('the end <|endoftext|>');
    const refused = /the text contains <\|endoftext\|>/;
    await page.getByLabel('Answer').getByText(refused).waitFor();
    await button('What each token adds').click();
    await page.getByRole('group', { name: 'What each token adds' }).getByText(refused).waitFor();
    await button('Merge and unmerge').click();
    const said = page.getByLabel('Accuracy with this dose');
    await said.getByText(refused).waitFor();
    await message.fill(right);
    await page.getByLabel('Strength').fill('1');
    await page
      .getByLabel('Answer')
      .getByText(/probability of/)
      .waitFor();
    expect(await page.getByLabel('Singular values').textContent()).to.equal(before);
    await button('Step').click();
    await atStep(2);
    await inState('idle');
  });

  it('while it trains, adapters, data and settings are locked, and Pause ends it', async () => {
    await button('Train').click();
    await inState('training');
    const locked = ['Adapter', 'From a file', 'Your own data', 'Rank', 'Method', 'Engine'];
    for (const name of locked)
      expect(await page.getByLabel(name, { exact: true }).isDisabled(), name).to.equal(true);
    for (const name of [
      'Train',
      'Step',
      'Reset',
      'Compare all methods',
      'Download adapter',
      'Merge and unmerge',
    ])
      expect(await button(name).isDisabled(), name).to.equal(true);
    await button('Pause').click();
    await inState('idle');
    expect(await step()).to.be.within(3, 15);
    expect(await lossesOf(page)).to.have.length(await step());
  });

  it('goes on after a reload to the same losses, under these settings only', async function () {
    this.timeout(600_000);
    const [first, at] = [await lossesOf(page), await step()];
    await page.reload();
    await inState('idle');
    await page.getByText(`Kept: this training, after step ${at}.`).waitFor();
    await page.getByLabel('Alpha').fill('8');
    expect(await button('Go on').isVisible()).to.equal(false);
    await page.getByText(/^Kept: a training of lora of rank 2, seed 42/).waitFor();
    await page.getByText('These settings are not the model’s').waitFor();
    await page.getByLabel('Alpha').fill('16');
    await button('Go on').click();
    await page.getByText('accuracy over all messages').waitFor(LONG);
    await inState('idle');
    const rest = await lossesOf(page);
    expect(first.length + rest.length).to.equal(16);
    // Train after the end begins anew: a whole one has the same losses.
    await button('Train').click();
    await page.getByRole('checkbox', { name: 'Pin run 2: lora r 2' }).waitFor(LONG);
    await inState('idle');
    expect((await lossesOf(page)).slice(rest.length)).to.deep.equal([...first, ...rest]);
  });

  it('own data that cannot be read are refused where they were given, and nothing is changed', async () => {
    const path = join(folder, 'own.csv');
    writeFileSync(path, 'nothing,of,that\n1,2,3\n');
    const before = await page.getByLabel('Facts').textContent();
    await page.getByLabel('Your own data').setInputFiles(path);
    const notice = page.getByLabel('Notice');
    await notice.getByText('own.csv').waitFor();
    expect(await notice.textContent()).to.not.contain('/');
    await inState('idle');
    expect(await page.getByLabel('Facts').textContent()).to.equal(before);
  });

  it('a training on own data is not continued on other messages', async () => {
    const path = join(folder, 'own.txt');
    const rows = Array.from(
      { length: 400 },
      (_, i) => `${i % 2 ? 'spam\tWin' : 'ham\tSee you at'} ${i} ${i * 7}`,
    );
    writeFileSync(path, `${rows.join('\n')}\n`);
    await page.getByLabel('Your own data').setInputFiles(path);
    await page.getByLabel('Facts').getByText('Messages: own.txt').waitFor();
    await inState('idle');
    await page.getByLabel('Batch size').fill('1');
    await button('Train').click();
    await inState('training');
    await atStep(2);
    await button('Pause').click();
    await inState('idle');
    await page.reload();
    await page.getByText(/^Kept: a training of .*, on own\.txt, after step \d+/).waitFor();
    expect(await button('Go on').isVisible()).to.equal(false);
  });

  it('a comparison ends with Pause', async () => {
    await page.getByLabel('Batch size').fill('64');
    await button('Compare all methods').click();
    await inState('comparing');
    await atStep(1);
    await button('Pause').click();
    await inState('idle');
    const at = await step();
    await page.waitForTimeout(3000);
    expect(await step()).to.equal(at);
    expect(await page.getByLabel('Method').inputValue()).to.equal('lora');
  });

  it('an adapter that is none, or has a name that is taken, is told so', async () => {
    const zip = join(folder, 'none.zip');
    writeFileSync(zip, readFileSync(join(folder, 'own.csv')));
    await page.getByLabel('From a file').setInputFiles(zip);
    await page.getByText('none.zip is not a readable zip file').waitFor();
    await inState('idle');
  });

  it('a worker that dies is told, and started again by the next press', async () => {
    const other = await site.context({ serviceWorkers: 'block' });
    const broken = await other.newPage();
    await broken.route('**/code/lab.js', (route) => route.abort());
    await broken.goto(`${site.url}${SHORT}`);
    await broken.locator('[data-panel="lab"][data-state="failed"]').waitFor();
    await broken.unroute('**/code/lab.js');
    await broken.getByRole('button', { name: 'Reset', exact: true }).click();
    await broken.locator('[data-panel="lab"][data-state="idle"]').waitFor();
    await other.close();
  });

  it('nothing went wrong unseen', () => {
    expect(site.faults).to.deep.equal([]);
  });
});

describe("the lab's default training", () => {
  it('has the losses of `npm run chapter06 -- --method lora --data stand-in`, all 390 to the last bit', async function () {
    this.timeout(900_000);
    const site = await visit();
    if (!site) return this.skip();
    try {
      const context = await site.context();
      await context.addInitScript(noteLosses);
      const page = await context.newPage();
      await page.goto(`${site.url}lab.html`);
      await page.locator('[data-state="idle"]').waitFor();
      await page.getByRole('button', { name: 'Train', exact: true }).click();
      await page.getByText('accuracy over all messages').waitFor({ timeout: 800_000 });
      const here = await lossesOf(page);
      await context.close();
      const out = mkdtempSync(join(tmpdir(), 'losses-'));
      const notebook = new Notebook('chapter06', () => {});
      await chapter06(notebook, {
        data: 'stand-in',
        method: 'lora',
        model: 'mini',
        seed: 42,
        batchSize: 8,
        rank: 16,
        alpha: 16,
        out,
      } as never);
      rmSync(out, { recursive: true });
      const [{ history }] = notebook.toJSON().figures.results as [{ history: { stepLosses: number[] } }];
      expect(here).to.have.length(390);
      expect(here).to.deep.equal(history.stepLosses);
    } finally {
      await site.close();
    }
  });
});
