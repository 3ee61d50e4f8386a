/** The frame of every page. All links are relative, so that the site works from any folder of a server. */

import { escapeHtml, type Heading } from './markdown.ts';
import { PAGES, type Page, START } from './pages.ts';

export interface Content {
  title: string;
  /** Of the page in the list; none for code. */
  name?: string;
  body: string;
  headings: readonly Heading[];
}

const all = [START, ...PAGES];

export function pageHtml({ title, name, body, headings }: Content): string {
  const at = all.findIndex((page) => page.name === name);
  const parts = headings.filter(({ depth }) => depth === 2);
  const contents =
    parts.length < 2
      ? ''
      : `<nav class="contents" aria-label="On this page"><h2>On this page</h2><ul>${parts.map(({ id, title }) => `<li><a href="#${id}">${title}</a></li>`).join('')}</ul></nav>`;
  return `<!doctype html>
<html lang="en-GB">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)} · LLMs from scratch in TypeScript</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="style.css">
<script>document.documentElement.dataset.theme = localStorage.theme ?? ''</script>
<script type="module" src="code/page.js"></script>
</head>
<body>
<a class="skip" href="#main">To the text</a>
<header class="top">
<a class="home" href="index.html">LLMs from scratch <span>in TypeScript</span></a>
<div class="tools"></div>
</header>
<div class="frame">
<nav class="pages" aria-label="Pages"><details open><summary>Pages</summary><ul>${all.map((page) => entry(page, page.name === name)).join('')}</ul></details></nav>
<main id="main" tabindex="-1">
${body}
${neighbours(at)}
</main>
${contents}
</div>
</body>
</html>
`;
}

function entry({ name, title }: Page, isHere: boolean): string {
  return `<li><a href="${name}.html"${isHere ? ' aria-current="page"' : ''}>${title}</a></li>`;
}

function neighbours(at: number): string {
  if (at < 0) return '';
  const [before, after] = [all[at - 1], all[at + 1]];
  const link = (page: Page | undefined, rel: string, text: string) =>
    page ? `<a rel="${rel}" href="${page.name}.html">${text} ${page.title}</a>` : '<span></span>';
  return `<nav class="neighbours" aria-label="Previous and next">${link(before, 'prev', '← ')}${link(after, 'next', '→ ')}</nav>`;
}
