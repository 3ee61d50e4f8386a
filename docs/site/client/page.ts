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
  await navigator.serviceWorker.ready;
  if (crossOriginIsolated || sessionStorage.reloaded) return;
  sessionStorage.reloaded = 'once';
  location.reload();
}

const tools = document.querySelector<HTMLElement>('.tools')!;
wakeSearch(tools);
wakeTheme(tools);
if (matchMedia('(max-width: 60rem)').matches)
  document.querySelector('.pages details')?.removeAttribute('open');
void isolate();
for (const place of document.querySelectorAll<HTMLElement>('[data-panel]')) {
  void PANELS[place.dataset.panel!]?.().then(({ wake }) => wake(place));
}
if (document.querySelector('.example'))
  void import('./examples.ts').then(({ wakeExamples }) => wakeExamples());
if (document.querySelector('.exercise'))
  void import('./exercises.ts').then(({ wakeExercises }) => wakeExercises());
