/** Values that outlive the page, in the browser's IndexedDB: trainings that were cut off. */

import { createStore, del, entries, set } from 'idb-keyval';

export interface Kept<Value> {
  /** By name. */
  all(): ReadonlyMap<string, Value>;
  /** @throws Error if the browser keeps no more; the value then lasts as long as the page */
  put(name: string, value: Value): Promise<void>;
  forget(names: Iterable<string>): Promise<void>;
}

/**
 * The values kept under that title, read once. They last only as long as the page where the browser keeps nothing (a private
 * window), and in a second tab, which would write over the values of the first.
 */
export async function openStore<Value>(title: string): Promise<Kept<Value>> {
  const store = (await isFirstTab(title)) ? createStore(`kept ${title}`, 'values') : undefined;
  const found = store ? await entries<string, Value>(store).catch(() => undefined) : undefined;
  const known = new Map<string, Value>(found);
  const isLasting = store !== undefined && found !== undefined;
  return {
    all: () => known,
    async put(name, value) {
      known.set(name, value);
      if (isLasting) await set(name, value, store);
    },
    async forget(names) {
      for (const name of [...names]) {
        known.delete(name);
        if (isLasting) await del(name, store).catch(() => {});
      }
    },
  };
}

/** The first tab that asks has the title until it is closed or reloaded. */
function isFirstTab(title: string): Promise<boolean> {
  return new Promise((resolve) => {
    if (!navigator.locks) return resolve(true); // a page that came by http from elsewhere has none
    const held = navigator.locks.request(title, { ifAvailable: true }, (lock) => {
      resolve(lock !== null);
      return lock && new Promise(() => {});
    });
    held.catch(() => resolve(true));
  });
}
