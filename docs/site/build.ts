/** `npm run site:build`: the book as a folder of static files, docs/site/build. */

import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { isProgram } from '../../chapters/common/cli.ts';
import { readCommandLine, runMain } from '../../chapters/common/command-line.ts';
import { bundle, ROOT } from './bundle.ts';
import { escapeHtml, highlight, render, sourcePage } from './markdown.ts';
import { PAGES, type Page, START } from './pages.ts';
import { pictureSection } from './pictures/section.ts';
import { pageHtml } from './template.ts';

/** What a search looks through: a section of a page. */
interface Found {
  page: string;
  title: string;
  url: string;
  text: string;
}

/** Builds the site into a folder, which is emptied first. */
export async function buildSite(folder: string): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const files = new Set<string>();
  const index: Found[] = [];
  for (const page of [START, ...PAGES]) {
    const markdown = readFileSync(join(ROOT, page.source), 'utf8');
    const { html, headings, files: named } = render(markdown, page.source);
    for (const file of named) files.add(file);
    writeFileSync(
      join(folder, `${page.name}.html`),
      pageHtml({ ...page, body: await withPanels(html, page), headings }),
    );
    index.push(...sectionsOf(page, html));
  }
  for (const file of files) {
    if (/\.(svg|png)$/.test(file)) copy(file, join(folder, 'pictures', file));
    else writeFileSync(join(folder, sourcePage(file)), codePage(file));
  }
  writeFileSync(join(folder, 'search.json'), JSON.stringify(index));
  const styles = ['style.css', 'pictures/pictures.css'].map((name) =>
    readFileSync(join(ROOT, 'docs', 'site', name)),
  );
  writeFileSync(join(folder, 'style.css'), Buffer.concat(styles));
  writeFileSync(join(folder, '.nojekyll'), ''); // GitHub Pages: the files as they are
  await bundle(folder);
}

function copy(file: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(join(ROOT, file), to);
}

/** The panels of a page follow its first paragraphs; without JavaScript a line says what they are. */
async function withPanels(
  html: string,
  { chapter, before = '', panels = [], picture }: Page,
): Promise<string> {
  const places = panels.map((name) => panel(name, ''));
  if (picture) places.push(await pictureSection(picture));
  if (chapter) places.push(panel('run', ` data-chapter="${chapter}" data-before="${escapeHtml(before)}"`));
  const at = html.search(/<h2/);
  return at < 0 ? html + places.join('') : html.slice(0, at) + places.join('') + html.slice(at);
}

function panel(name: string, data: string): string {
  const without = '<noscript><p>With JavaScript this page runs here.</p></noscript>';
  return `<section class="panel" data-panel="${name}"${data}>${without}</section>\n`;
}

/** A file of the repository with its lines numbered. */
function codePage(file: string): string {
  const code = readFileSync(join(ROOT, file), 'utf8');
  const language = extname(file).slice(1);
  const lines = code
    .trimEnd()
    .split('\n')
    .map((_, i) => `<a href="#L${i + 1}" id="L${i + 1}">${i + 1}</a>`);
  const body = `<h1>${escapeHtml(file)}</h1>\n<div class="source"><pre class="numbers" aria-hidden="true">${lines.join('\n').replaceAll('<a ', '<a tabindex="-1" ')}</pre><pre tabindex="0"><code>${highlight(code, language)}</code></pre></div>`;
  return pageHtml({ title: file, body, headings: [] });
}

function sectionsOf(page: Page, html: string): Found[] {
  const parts = html.split(/(?=<h[123] id=)/);
  return parts.map((part) => {
    const [, id = '', title = page.title] = /^<h\d id="([^"]*)">(.*?)<\/h/s.exec(part) ?? [];
    const plain = (text: string) =>
      text
        .replaceAll(/<[^>]+>/g, '')
        .replaceAll(/\s+/g, ' ')
        .trim();
    return { page: page.title, title: plain(title), url: `${page.name}.html#${id}`, text: plain(part) };
  });
}

if (isProgram(import.meta.url)) {
  await runMain(async () => {
    await readCommandLine({
      command: 'npm run site:build --',
      summary: 'Builds the book as static files.',
      options: {},
    });
    const folder = join(ROOT, 'docs', 'site', 'build');
    await buildSite(folder);
    console.log(`The site is in ${folder}`);
  });
}
