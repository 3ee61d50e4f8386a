import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { unzipSync } from 'fflate';
import type { Page } from 'playwright-core';
import { obtainModel } from '../../chapters/chapter05/index.ts';
import { prepareForMethod, replaceHead } from '../../chapters/chapter06/05-classification-head.ts';
import { firstLosses } from '../../chapters/chapter06/09-work-left-out.ts';
import { makeDatasets, makeLoaders, prepareMessages } from '../../chapters/chapter06/index.ts';
import { loadWithAdapter } from '../../chapters/commands/adapter/base-model.ts';
import { classifierOf } from '../../chapters/commands/adapter/classify.ts';
import { type Visit, visit } from './site.ts';

const SPAM = 'You are a winner you have been specially selected to receive $1000 cash or a $2000 award.';
/** Messages that are classified between two steps add to a step's garbage; a collection that frees nothing adds 96 MiB. */
const FLAT_MIB = 64;

/** A stranger at the lab, who finds everything by its name. */
describe('the LoRA lab', () => {
  let site: Visit;
  let page: Page;
  let folder: string;
  before(async function () {
    const found = await visit();
    if (!found) return this.skip();
    site = found;
    folder = mkdtempSync(join(tmpdir(), 'lab-'));
    page = await site.open('lab.html#rank=8&alpha=16&epochs=1&seed=42');
    await page.evaluate(() => {
      const frozen: number[] = [];
      Object.assign(window, { frozen });
      new PerformanceObserver((list) => {
        for (const { duration } of list.getEntries()) frozen.push(duration);
      }).observe({ entryTypes: ['longtask'] });
    });
    await page.getByText(/numbers are trained/).waitFor();
  });
  after(async () => {
    await site?.close();
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  const step = async () => Number(await page.getByLabel('Progress').getAttribute('data-step'));
  const probability = async () => {
    const text = (await page.getByLabel('Answer').textContent())!;
    return Number(/probability of ([\d.]+)%/.exec(text)![1]) / 100;
  };

  it('takes its settings from the link, and starts nothing', async () => {
    expect(await page.getByLabel('Rank').inputValue()).to.equal('8');
    expect(await page.getByLabel('Alpha').inputValue()).to.equal('16');
    expect(await step()).to.equal(0);
  });

  it('has not moved at step 0, and after one step only B has', async () => {
    await page.getByText('A has not moved; B is zero.').waitFor();
    await page.getByRole('button', { name: 'Step' }).click();
    await page.getByText('A has not moved; B has moved.').waitFor();
    await page.waitForFunction(() => document.querySelector('.progress')!.getAttribute('data-step') === '1');
  });

  it("has Node's losses", async () => {
    await page.getByRole('button', { name: 'Step' }).click();
    await page.waitForFunction(() => document.querySelector('.progress')!.getAttribute('data-step') === '2');
    const shown = Number(/loss ([\d.]+)/.exec((await page.locator('.progress').textContent())!)![1]);
    await page.getByRole('img', { name: `Loss: training ${shown.toFixed(3)}` }).waitFor();
    const { parts } = await prepareMessages({ data: 'stand-in', seed: 42, print: () => {} });
    const loaders = makeLoaders(makeDatasets(parts, { name: 'mini', contextLength: 256 }), 8);
    const model = (await obtainModel({ model: 'mini' })).eval();
    replaceHead(model, 42);
    prepareForMethod(model, 'lora', { rank: 8, alpha: 16 });
    const settings = { lr: 2e-3, schedule: 'cosine', epochs: 1, seed: 42 } as const;
    const losses = await firstLosses(model, loaders.train, settings, 2);
    expect(shown).to.be.closeTo(losses[1], 1e-3);
  });

  it('trains, with the memory flat, the page alive, and a message that turns to spam', async () => {
    const before = await probability();
    const memory: number[] = [];
    await page.exposeFunction('noteMemory', (mib: number) => memory.push(mib));
    await page.evaluate(() => {
      const progress = document.querySelector('.progress')!;
      new MutationObserver(() => {
        const [, mib] = / (\d+) MiB/.exec(progress.textContent!) ?? [];
        if (mib) (window as unknown as { noteMemory(mib: number): void }).noteMemory(Number(mib));
      }).observe(progress, { childList: true });
    });
    await page.getByRole('button', { name: 'Train' }).click();
    await page.waitForFunction(
      () => Number(document.querySelector('.progress')!.getAttribute('data-step')) >= 60,
    );
    const start = Date.now();
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.locator('button:not(:disabled)', { hasText: 'Train' }).waitFor();
    console.log(`    paused within ${Date.now() - start} ms`);
    const late = memory.slice(20);
    expect(Math.max(...late) - late[0], `${memory.join(' ')} MiB`).to.be.at.most(FLAT_MIB);
    await page.waitForFunction(() => /A has moved; B has moved/.test(document.body.textContent!));
    expect(await probability()).to.be.above(before);
    await page.getByLabel('Message').fill(`${SPAM} Call now!`);
    await page.getByLabel('Answer').getByText('spam', { exact: true }).waitFor();
    const frozen = await page.evaluate(() => (window as unknown as { frozen: number[] }).frozen);
    console.log(`    the page was busy for ${Math.max(0, ...frozen).toFixed(0)} ms at most`);
  });

  it('draws what is in the tensors', async () => {
    const text = (await page.getByLabel('The cell explained').textContent())!;
    expect(text).to.match(/^ΔW\[0, 0\] = 2\.00 · /);
    // Blue below zero, orange above: the pixel has the sign of the number, and all numbers of W are drawn.
    const [, value] = / = (-?[\d.e-]+): row 0/.exec(text)!;
    const pixel = await page.getByRole('img', { name: /^ΔW of/ }).evaluate((canvas: HTMLCanvasElement) => {
      return [...canvas.getContext('2d')!.getImageData(0, 0, 1, 1).data];
    });
    expect(Math.sign(pixel[0] - pixel[2])).to.equal(Math.sign(Number(value)));
    const values = (await page.getByLabel('Singular values').textContent())!
      .split(': ')[1]
      .split(', ')
      .map(Number);
    expect(values).to.have.length(8);
    expect(values).to.deep.equal([...values].sort((a, b) => b - a));
  });

  it('answers as without LoRA at strength 0', async () => {
    await page.getByLabel('Strength').fill('0');
    await page.waitForFunction(() => {
      const [a, b] = [
        ...document.querySelector('[aria-label="Answer"]')!.textContent!.matchAll(/([\d.]+)%/g),
      ];
      return a?.[1] === b?.[1];
    });
    await page.getByLabel('Strength').fill('1');
  });

  it('an adapter from here answers the same in Node, and comes back', async () => {
    await page.waitForTimeout(500);
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download adapter' }).click(),
    ]);
    const zip = join(folder, 'adapter.zip');
    await download.saveAs(zip);
    for (const [name, bytes] of Object.entries(unzipSync(readFileSync(zip)))) {
      writeFileSync(join(folder, name.replace('adapter/', '')), bytes);
    }
    const loaded = await loadWithAdapter({ adapter: folder, model: undefined, weights: undefined });
    const [{ probabilities }] = classifierOf(loaded)([`${SPAM} Call now!`]);
    const here = await probability();
    expect(probabilities.spam).to.be.closeTo(here, 1e-3);
    await page.getByLabel('From a file').setInputFiles(zip);
    await page.getByText('adapter answers now.').waitFor();
    await page.waitForFunction(() => document.querySelector<HTMLSelectElement>('select[id]')?.value);
    expect(await probability()).to.be.closeTo(here, 1e-3);
  });

  it('a file that is no adapter is one line', async () => {
    const other = join(folder, 'other.zip');
    writeFileSync(other, 'no zip');
    await page.getByLabel('From a file').setInputFiles(other);
    await page.getByText('other.zip is not a readable zip file').waitFor();
    expect(site.faults).to.deep.equal([]);
  });

  it('takes the GPU when it is asked to, or says why not and stays on the CPU', async () => {
    const facts = page.getByLabel('Facts');
    expect(await facts.textContent()).to.match(/^Engine: wasm, \d+ threads?\. /);
    await page.getByLabel('Engine').selectOption('GPU');
    await facts
      .getByText(/^Engine: (gpu, webgpu \(.*self-test\)|wasm, .*; no GPU can be used: webgpu: .+)\. /)
      .waitFor();
    console.log(`    ${await facts.textContent()}`);
    await page.getByText(/numbers are trained/).waitFor();
    await page.getByRole('button', { name: 'Step' }).click();
    await page.getByText('A has not moved; B has moved.').waitFor();
    expect(site.faults).to.deep.equal([]);
  });
});
