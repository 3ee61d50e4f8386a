/** A page of the repository as HTML: headings that can be linked to, coloured code, links that lead within the site. */

import { existsSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import hljs from 'highlight.js/lib/core';
import bash from 'highlight.js/lib/languages/bash';
import python from 'highlight.js/lib/languages/python';
import typescript from 'highlight.js/lib/languages/typescript';
import { Marked } from 'marked';
import { ROOT } from './bundle.ts';
import { type Exercise, exercisesOf } from './exercises.ts';
import { PAGES } from './pages.ts';

hljs.registerLanguage('ts', typescript);
hljs.registerLanguage('js', typescript);
hljs.registerLanguage('bash', bash);
hljs.registerLanguage('python', python);

export interface Heading {
  id: string;
  title: string;
  depth: number;
}

export interface Rendered {
  html: string;
  headings: Heading[];
  /** The files of the repository that it links to: code, which gets a page, and pictures, which are copied. */
  files: Set<string>;
}

export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/** Highlighted, if the language is known; the colours are classes of style.css. */
export function highlight(code: string, language: string): string {
  return hljs.getLanguage(language) ? hljs.highlight(code, { language }).value : escapeHtml(code);
}

const cellHtml = (tag: string, html: string): string => `<${tag}>${html}</${tag}>`;

/** The address of the page that shows a file. */
export function sourcePage(path: string): string {
  return `source-${path.replaceAll('/', '-')}.html`;
}

/** As GitHub makes them, so that links to `#in-a-browser` work in both places. */
function idOf(title: string, taken: Heading[]): string {
  const id =
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-') || 'section';
  const same = taken.filter((heading) => heading.id === id || heading.id.startsWith(`${id}-`)).length;
  return same > 0 ? `${id}-${same}` : id;
}

/** A hint and the solution, which without JavaScript can be opened; with it, an editor comes before them. */
function exerciseHtml({ hint, solution, beginning }: Exercise, number: number, folder: string): string {
  const parts = [
    ['Hint', `<p>${escapeHtml(hint)}</p>`],
    ['Solution', `<pre tabindex="0"><code>${highlight(solution, 'ts')}</code></pre>`],
  ].map(([title, html]) => `<details><summary>${title}</summary>${html}</details>`);
  const data = `data-folder="${folder}" data-number="${number}" data-beginning="${escapeHtml(beginning)}"`;
  return `<section class="exercise" aria-label="Exercise ${number}" ${data}>${parts.join('')}</section>`;
}

/** @param source the file's path in the repository, from which its links start */
export function render(markdown: string, source: string): Rendered {
  const headings: Heading[] = [];
  const files = new Set<string>();
  let examples = 0;

  /** Where a link of the repository leads on the site; undefined if there is no such page. */
  const address = (href: string): string | undefined => {
    if (/^(https?:|#|mailto:)/.test(href)) return href;
    const [target, fragment] = href.split('#');
    const path = relative(ROOT, resolve(ROOT, dirname(source), target)).replaceAll('\\', '/');
    const page = PAGES.find((known) => known.source === path || dirname(known.source) === path);
    if (page) return `${page.name}.html${fragment ? `#${fragment}` : ''}`;
    if (/\.html$/.test(path) && path.startsWith('docs/site/'))
      return path.slice('docs/site/'.length) + (fragment ? `#${fragment}` : '');
    if (!existsSync(join(ROOT, path)) || statSync(join(ROOT, path)).isDirectory()) return undefined;
    files.add(path);
    return /\.(svg|png)$/.test(path) ? `pictures/${path}` : sourcePage(path);
  };

  const marked = new Marked({
    gfm: true,
    renderer: {
      heading({ tokens, depth }) {
        const html = this.parser.parseInline(tokens);
        const title = html.replaceAll(/<[^>]+>/g, '');
        const id = idOf(title, headings);
        headings.push({ id, title, depth });
        return `<h${depth} id="${id}">${html}</h${depth}>\n`;
      },
      code({ text, lang }) {
        const code = `<pre tabindex="0"><code>${highlight(text, lang ?? '')}</code></pre>`;
        if (lang !== 'ts') return `${code}\n`;
        const name = `Example ${++examples}`;
        return `<section class="example" aria-label="${name}" data-folder="${dirname(source)}">${code}</section>\n`;
      },
      list(token) {
        if (headings.at(-1)?.title !== 'Exercises' || !token.ordered) return false;
        const exercises = exercisesOf(dirname(source));
        const items = token.items.map((item, i) => {
          return `<li>${this.parser.parse(item.tokens)}${exerciseHtml(exercises[i], i + 1, dirname(source))}</li>`;
        });
        return `<ol>${items.join('\n')}</ol>\n`;
      },
      link({ href, tokens }) {
        const text = this.parser.parseInline(tokens);
        const to = address(href);
        return to === undefined ? text : `<a href="${escapeHtml(to)}">${text}</a>`;
      },
      image({ href, text }) {
        return `<img src="${escapeHtml(address(href) ?? href)}" alt="${escapeHtml(text)}" loading="lazy">`;
      },
      table(token) {
        const cells = (row: typeof token.header, tag: string) =>
          `<tr>${row.map((cell) => cellHtml(cell.text === '' ? 'td' : tag, this.parser.parseInline(cell.tokens))).join('')}</tr>`;
        const hasHead = token.header.some((cell) => cell.text !== '');
        const head = hasHead ? `<thead>${cells(token.header, 'th')}</thead>` : '';
        return `<div class="wide" tabindex="0"><table>${head}<tbody>${token.rows.map((row) => cells(row, 'td')).join('')}</tbody></table></div>\n`;
      },
    },
  });
  return { html: marked.parse(markdown, { async: false }), headings, files };
}
