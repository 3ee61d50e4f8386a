/** The search: sections of all pages that have every word, those with a word in their title first. */

import { element } from './dom.ts';

interface Section {
  page: string;
  title: string;
  url: string;
  text: string;
}

const MOST = 12;

let index: Promise<Section[]> | undefined;

export function wakeSearch(tools: HTMLElement): void {
  const found = element('ul', { className: 'found', ariaLabel: 'Found', hidden: true });
  const input = element('input', { type: 'search', placeholder: 'Search', ariaLabel: 'Search' });
  const form = element('form', { role: 'search', className: 'search' }, input, found);
  form.onsubmit = (event) => {
    event.preventDefault();
    found.querySelector('a')?.click();
  };
  input.oninput = async () => {
    index ??= fetch('search.json').then((response) => response.json());
    const sections = find(input.value, await index);
    found.hidden = sections.length === 0;
    found.replaceChildren(
      ...sections.map(({ page, title, url }) =>
        element('li', {}, element('a', { href: url }, title, element('small', {}, page))),
      ),
    );
  };
  form.onkeydown = ({ key }) => {
    if (key === 'Escape') found.hidden = true;
  };
  tools.append(form);
}

export function find(query: string, sections: readonly Section[]): Section[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [];
  const score = ({ title, text }: Section): number => {
    const [head, body] = [title.toLowerCase(), text.toLowerCase()];
    if (!words.every((word) => body.includes(word))) return 0;
    return words.reduce((sum, word) => sum + (head.includes(word) ? 10 : 0) + body.split(word).length - 1, 0);
  };
  return sections
    .map((section) => ({ section, points: score(section) }))
    .filter(({ points }) => points > 0)
    .sort((a, b) => b.points - a.points)
    .slice(0, MOST)
    .map(({ section }) => section);
}
