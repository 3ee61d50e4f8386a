/** The search: sections of all pages that have every word, or words that begin so; those with a word in their title first. */

import type MiniSearch from 'minisearch';
import { element } from './dom.ts';

export interface Section {
  page: string;
  title: string;
  url: string;
  text: string;
}

const MOST = 12;

export function wakeSearch(tools: HTMLElement): void {
  const found = element('ul', { className: 'found', ariaLabel: 'Found', hidden: true });
  const input = element('input', { type: 'search', placeholder: 'Search', ariaLabel: 'Search' });
  const form = element('form', { role: 'search', className: 'search' }, input, found);
  let index: Promise<MiniSearch<Section>> | undefined;
  form.onsubmit = (event) => {
    event.preventDefault();
    found.querySelector('a')?.click();
  };
  input.oninput = () => void show();
  form.onkeydown = ({ key }) => {
    if (key === 'Escape') found.hidden = true;
  };
  tools.append(form);

  async function show(): Promise<void> {
    const query = input.value;
    try {
      index ??= fetch('search.json').then(async (response) => indexOf(await response.json()));
      const sections = find(query, await index);
      if (query !== input.value) return; // more was typed meanwhile
      const items = sections.map(({ page, title, url }) =>
        element('li', {}, element('a', { href: url }, title, element('small', {}, page))),
      );
      const nothing = query.trim() === '' ? [] : [element('li', {}, 'Nothing is found.')];
      found.replaceChildren(...(items.length > 0 ? items : nothing));
    } catch {
      index = undefined; // the next letter asks again
      found.replaceChildren(element('li', {}, 'The search needs a connection.'));
    }
    found.hidden = found.childElementCount === 0;
  }
}

/** The index is loaded when somebody searches. */
export async function indexOf(sections: readonly Section[]): Promise<MiniSearch<Section>> {
  const { default: Search } = await import('minisearch');
  const index = new Search<Section>({
    idField: 'url',
    fields: ['title', 'text'],
    storeFields: ['page', 'title', 'url'],
    searchOptions: { boost: { title: 10 }, prefix: true, combineWith: 'AND' },
  });
  index.addAll(sections);
  return index;
}

export function find(query: string, index: MiniSearch<Section>): Pick<Section, 'page' | 'title' | 'url'>[] {
  return index.search(query).slice(0, MOST) as unknown as Section[];
}
