/** Files that outlive the page, in the browser's IndexedDB: the checkpoints of a training that was cut off. */

export interface Kept {
  has(): boolean;
  files(): Record<string, Uint8Array>;
  put(path: string, bytes: Uint8Array): Promise<void>;
  clear(): Promise<void>;
}

/**
 * The files of that name, read once. They last as long as the page where the browser keeps nothing (a private window), and
 * in a second tab, which would write over those of the first.
 */
export async function openStore(name: string): Promise<Kept> {
  const database = (await isFirstTab(name)) ? await openDatabase().catch(() => undefined) : undefined;
  const known = new Map<string, Uint8Array>(database && (await entries(database, name).catch(() => [])));
  const change = async (work: (store: IDBObjectStore) => void) => {
    if (database) await transact(database, 'readwrite', work).catch(() => undefined);
  };
  return {
    has: () => known.size > 0,
    files: () => Object.fromEntries(known),
    async put(path, bytes) {
      known.set(path, bytes);
      await change((store) => store.put(bytes, `${name} ${path}`));
    },
    async clear() {
      const paths = [...known.keys()];
      known.clear();
      await change((store) => {
        for (const path of paths) store.delete(`${name} ${path}`);
      });
    },
  };
}

/** The first tab that asks has the name until it is closed or reloaded. */
function isFirstTab(name: string): Promise<boolean> {
  return new Promise((resolve) => {
    if (!navigator.locks) return resolve(true); // a page that came by http from elsewhere has none
    void navigator.locks.request(name, { ifAvailable: true }, (lock) => {
      resolve(lock !== null);
      return lock && new Promise(() => {});
    });
  });
}

function openDatabase(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open('book', 1);
    request.onupgradeneeded = () => request.result.createObjectStore('files');
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function transact(
  database: IDBDatabase,
  mode: IDBTransactionMode,
  work: (store: IDBObjectStore) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const transaction = database.transaction('files', mode);
    transaction.oncomplete = () => resolve();
    transaction.onerror = transaction.onabort = () => reject(transaction.error);
    work(transaction.objectStore('files'));
  });
}

async function entries(database: IDBDatabase, name: string): Promise<[string, Uint8Array][]> {
  const found: [string, Uint8Array][] = [];
  await transact(database, 'readonly', (store) => {
    store.openCursor().onsuccess = ({ target }) => {
      const cursor = (target as IDBRequest<IDBCursorWithValue | null>).result;
      if (!cursor) return;
      const key = String(cursor.key);
      if (key.startsWith(`${name} `)) found.push([key.slice(name.length + 1), cursor.value]);
      cursor.continue();
    };
  });
  return found;
}
