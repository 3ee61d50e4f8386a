/** Every page: colours, search, isolation; panels and examples wake when they are needed. */

import { wakeSearch } from './search.ts';

const PANELS: Record<string, () => Promise<{ wake(place: HTMLElement): void }>> = {
  run: () => import('./run.ts'),
  lab: () => import('./lab.ts'),
  classify: () => import('./classify.ts'),
  picture: () => import('../pictures/page.ts'),
};

/** Light or dark: as the system is set, until the reader says otherwise. */
function wakeTheme(tools: HTMLElement): void {
  const root = document.documentElement;
  const button = document.createElement('button');
  const isDark = () =>
    root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  const show = () => {
    button.textContent = isDark() ? 'Light' : 'Dark';
  };
  button.onclick = () => {
    localStorage.theme = root.dataset.theme = isDark() ? 'light' : 'dark';
    show();
  };
  show();
  tools.append(button);
}

/** On a host that sends no headers the service worker does, from the second visit to the page onwards. */
async function isolate(): Promise<void> {
  if (!('serviceWorker' in navigator)) return;
  await navigator.serviceWorker.register('service-worker.js').catch(() => undefined);
  const { active } = await navigator.serviceWorker.ready;
  if (crossOriginIsolated || sessionStorage.reloaded) {
    if (!navigator.serviceWorker.controller) active?.postMessage(seen());
    return;
  }
  sessionStorage.reloaded = 'once';
  location.reload();
}

/** The addresses of this page's files, for the service worker to keep: it did not run yet when they were loaded. */
function seen(): string[] {
  const loaded = performance.getEntriesByType('resource').map(({ name }) => name);
  return [location.href.replace(/#.*/, ''), ...loaded];
}

const tools = document.querySelector<HTMLElement>('.tools')!;
wakeSearch(tools);
wakeTheme(tools);
if (matchMedia('(max-width: 60rem)').matches)
  document.querySelector('.pages details')?.removeAttribute('open');
void isolate().catch(() => {}); // then the page has one thread, and nothing is kept

/** Wakes a part of the page; where its program cannot be loaded (no connection), the part says so. */
function load<Part>(places: Iterable<HTMLElement>, part: Promise<Part>, wake: (part: Part) => void): void {
  part.then(wake).catch(() => {
    for (const place of places) {
      const line = 'This part could not be loaded: reload the page when there is a connection.';
      place.append(Object.assign(document.createElement('p'), { className: 'mistake', textContent: line }));
    }
  });
}

for (const place of document.querySelectorAll<HTMLElement>('[data-panel]')) {
  const panel = PANELS[place.dataset.panel!];
  if (panel) load([place], panel(), ({ wake }) => wake(place));
}
const examples = document.querySelectorAll<HTMLElement>('.example');
if (examples.length > 0) load(examples, import('./examples.ts'), ({ wakeExamples }) => wakeExamples());
const exercises = document.querySelectorAll<HTMLElement>('.exercise');
if (exercises.length > 0) load(exercises, import('./exercises.ts'), ({ wakeExercises }) => wakeExercises());
