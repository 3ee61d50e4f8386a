import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { exercisesOf } from '../../docs/site/exercises.ts';
import { serve } from '../../docs/site/serve.ts';
import { builtSite, visitForSuite } from './site.ts';

const ISOLATION = {
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

/** What readers do wrong, and what goes wrong around them: a line says it, and nothing is lost. */
describe('mistakes in the page', () => {
  const site = visitForSuite();

  /** Runs code in the first example of chapter 3. */
  async function example(page: Page, code: string) {
    const place = page.locator('.example').first();
    if (await place.getByRole('button', { name: 'Edit' }).isVisible())
      await place.getByRole('button', { name: 'Edit' }).click();
    await place.getByRole('textbox').fill(code);
    await place.getByRole('button', { name: 'Run' }).click();
    return place;
  }
  const ended = (place: Awaited<ReturnType<typeof example>>) =>
    place.locator('button:not(:disabled)', { hasText: 'Run' }).waitFor();

  it('whatever is thrown ends an example, with what it was', async () => {
    const page = await site.open('chapter03.html');
    for (const [code, said] of [
      ['throw null', 'thrown: null'],
      ['throw undefined', 'thrown: undefined'],
      ['throw "a word"', 'thrown: a word'],
      ['throw Object.create(null)', 'thrown: [object Object]'],
      ['await Promise.reject(null)', 'thrown: null'],
      ['Promise.reject(3); await new Promise((then) => setTimeout(then, 1000));', 'thrown: 3'],
      ['console.log(Object.create(null))', '[object Object]'],
    ]) {
      const place = await example(page, code);
      await place.getByText(said).waitFor();
      await ended(place);
    }
    await page.context().close();
  });

  it('100,000 lines do not freeze the page, and the last of them is there', async () => {
    const page = await site.open('chapter03.html');
    await page.evaluate(() => {
      const frozen: number[] = [];
      Object.assign(window, { frozen });
      new PerformanceObserver((list) => {
        for (const { duration } of list.getEntries()) frozen.push(duration);
      }).observe({ entryTypes: ['longtask'] });
    });
    const place = await example(page, 'for (let i = 0; i < 100_000; i++) console.log("line " + i);');
    await place.getByText('line 99999').waitFor();
    await ended(place);
    const printed = (await place.getByRole('log').textContent())!.trimEnd().split('\n');
    expect(printed[0]).to.match(/^Earlier lines are left out/);
    expect(printed.slice(-10_000)).to.deep.equal(
      Array.from({ length: 10_000 }, (_, i) => `line ${90_000 + i}`),
    );
    const frozen = await page.evaluate(() => (window as unknown as { frozen: number[] }).frozen);
    console.log(`    the page was busy for ${Math.max(0, ...frozen).toFixed(0)} ms at most`);
    await page.context().close();
  });

  it('an editor is monospaced, and "As it was" can be undone', async () => {
    const page = await site.open('chapter03.html');
    const place = await example(page, 'console.log(1)');
    const editor = place.getByRole('textbox');
    expect(await editor.evaluate((each) => getComputedStyle(each).fontFamily)).to.contain('monospace');
    await place.getByRole('button', { name: 'As it was' }).click();
    expect(await editor.inputValue()).to.contain('import');
    await place.getByRole('button', { name: 'Undo' }).click();
    expect(await editor.inputValue()).to.equal('console.log(1)');
    const exercise = page.getByRole('region', { name: 'Exercise 1' });
    await exercise.getByRole('textbox').fill('mine');
    await exercise.getByRole('button', { name: 'As it was' }).click();
    await exercise.getByRole('button', { name: 'Undo' }).click();
    expect(await exercise.getByRole('textbox').inputValue()).to.equal('mine');
    await page.reload();
    expect(await exercise.getByRole('textbox').inputValue()).to.equal('mine');
    await page.context().close();
  });

  it('an exercise that is untouched has returned nothing yet', async () => {
    for (const chapter of ['chapter03', 'appendixA', 'chapter07']) {
      const page = await site.open(`${chapter}.html`);
      const places = page.locator('.exercise');
      for (const [i, { solution }] of exercisesOf(`chapters/${chapter}`).entries()) {
        const names = [...solution.matchAll(/^export (?:async )?(?:function|class) (\w+)/gm)].map(
          ([, name]) => name,
        );
        await places.nth(i).getByRole('button', { name: 'Check' }).click();
        await places.nth(i).locator('.mistake').waitFor();
        const said = (await places.nth(i).getByRole('log').textContent())!.trim();
        expect(names.map((name) => `${name} returned nothing yet`)).to.include(said);
      }
      await page.context().close();
    }
  });

  it('a training rests in Pause; stopped, it has saved its last step; and --help forgets nothing', async () => {
    const page = await site.open('appendixE.html');
    const panel = page.locator('[data-panel="run"]');
    const options = panel.getByLabel('Options');
    await options.fill('--data stand-in --epochs 1 --save-every 1000');
    await panel.getByRole('button', { name: 'Run' }).click();
    const progress = panel.locator('.progress');
    const reaches = (pattern: RegExp, text: string | null = null) =>
      page.waitForFunction(
        ([source, before]) => {
          const now = document.querySelector('.progress')!.textContent!;
          return new RegExp(source!).test(now) && now !== before;
        },
        [pattern.source, text],
      );
    await reaches(/lora .* [1-9]\d*\/130/);
    await panel.getByRole('button', { name: 'Pause' }).click();
    await page.waitForTimeout(3000); // the step under way
    const at = await progress.textContent();
    await page.waitForTimeout(3000);
    expect(await progress.textContent()).to.equal(at);
    await panel.getByRole('button', { name: 'Resume' }).click();
    await reaches(/lora .* [1-9]\d*\/130/, at);
    await panel.getByRole('button', { name: 'Stop' }).click();
    await panel.getByText('Stopped.').waitFor();
    await panel.getByText(/stopped after step \d+ of 130, all is saved/).waitFor();
    await options.fill('--help');
    await panel.getByRole('button', { name: 'Run' }).click();
    await panel.getByText('Done.').waitFor();
    await page.reload();
    await options.fill('--data stand-in --epochs 1 --save-every 1000');
    await panel.getByRole('button', { name: 'Go on' }).click();
    await panel.getByText(/Going on after step \d/).waitFor();
    await panel.getByRole('button', { name: 'Stop' }).click();
    await panel.getByText('Stopped.').waitFor();
    await page.context().close();
  });

  it('a link that is cut in the middle of a character opens the chapter', async () => {
    const page = await site.open('chapter03.html#run=%E2%82');
    await page.locator('[data-panel="run"]').getByRole('button', { name: 'Run' }).waitFor();
    await page.context().close();
  });

  it('pages that were seen are there without a server, and a cache without room hinders nothing', async () => {
    const { server, url } = await serve(await builtSite());
    const context = await site.context();
    const page = await context.newPage();
    await page.goto(`${url}chapter03.html`);
    await page.evaluate(() => navigator.serviceWorker.ready);
    await page.goto(`${url}chapter02.html`);
    await page.goto(`${url}chapter03.html`);
    const panel = page.locator('[data-panel="run"]');
    await panel.getByRole('button', { name: 'Run' }).click();
    await panel.getByText('Done.').waitFor();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await page.goto(`${url}chapter02.html`);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.goto(`${url}chapter03.html`);
    await panel.getByRole('button', { name: 'Run' }).click();
    await panel.getByText('Done.').waitFor();
    await context.close();
  });

  it('where the browser keeps nothing more, the model is loaded all the same', async () => {
    const context = await site.context();
    const page = await context.newPage();
    await page.goto(site.url);
    await page.evaluate(() => navigator.serviceWorker.ready);
    await page.reload();
    const session = await context.newCDPSession(page);
    await session.send('Storage.overrideQuotaForOrigin', { origin: new URL(site.url).origin, quotaSize: 1 });
    await page.getByRole('button', { name: 'Load the model' }).click();
    await page.getByLabel('Answer').getByText('spam', { exact: true }).waitFor();
    await context.close();
  });

  it('without WebAssembly a line says so', async () => {
    const context = await site.context({ serviceWorkers: 'block' });
    // In each worker it is taken away before the first module is evaluated.
    await context.route(/code\/(lab|classify|program)\.js$/, (route) => {
      const body = `import './without.js'; import '${route.request().url()}?whole';`;
      return route.fulfill({ contentType: 'text/javascript', headers: ISOLATION, body });
    });
    await context.route(/without\.js$/, (route) => {
      const body = 'delete globalThis.WebAssembly;';
      return route.fulfill({ contentType: 'text/javascript', headers: ISOLATION, body });
    });
    const page = await context.newPage();
    const refused = 'this browser has no WebAssembly';
    await page.goto(site.url);
    await page.getByRole('button', { name: 'Load the model' }).click();
    await page.getByText(refused).waitFor();
    await page.goto(`${site.url}lab.html`);
    await page.getByText(refused).waitFor();
    await page.goto(`${site.url}chapter03.html`);
    await page.locator('[data-panel="run"]').getByRole('button', { name: 'Run' }).click();
    await page.getByText(refused).waitFor();
    await context.close();
  });

  it('the Llama of the hub answers, and its size is said before it is loaded', async () => {
    const context = await site.context({ serviceWorkers: 'block' });
    // The hub: its large file is a tiny Llama's here.
    await context.route('https://huggingface.co/**', (route) => {
      const file = route.request().url().split('/').at(-1)!;
      const path = fileURLToPath(new URL(`../fixtures/llama/tiny/${file}`, import.meta.url));
      const headers = { 'Access-Control-Allow-Origin': '*' };
      if (!existsSync(path)) return route.fulfill({ status: 404, headers });
      return route.fulfill({ path, headers });
    });
    const page = await context.newPage();
    await page.goto(`${site.url}llama.html`);
    await page.getByText(/downloads SmolLM2-135M-Instruct .* 272 MB/).waitFor();
    const panel = page.locator('[data-panel="run"]');
    await panel.getByLabel('Options').fill('--prompt "Hello" --max-new-tokens 2');
    await panel.getByRole('button', { name: 'Run' }).click();
    await panel.getByText(/^(Done|Ended)/).waitFor();
    const printed = await panel.getByRole('log').textContent();
    expect(printed).to.match(
      /Downloading model\.safetensors of HuggingFaceTB\/SmolLM2-135M-Instruct .*: \d+ kB/,
    );
    expect(await panel.locator('.progress').textContent(), printed!).to.equal('Done.');
    await context.close();
  });

  it('nothing went wrong unseen', () => {
    expect(site.faults).to.deep.equal([]);
  });
});
