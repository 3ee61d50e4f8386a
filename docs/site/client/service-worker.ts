/**
 * Gives every answer of the site's server the two headers of an isolated page, which a host of static files does not send:
 * without them no memory is shared, and the engine has one thread. The service worker also keeps the answers: large files named
 * by their version are fetched once, and pages and code that were seen are there without a network. It gives each answer first,
 * and keeps it afterwards.
 */

/** The part of a service worker that is used here; TypeScript's own types exclude those of a page. */
interface Scope {
  registration: { scope: string };
  skipWaiting(): Promise<void>;
  clients: { claim(): Promise<void> };
  addEventListener(type: string, listener: (event: WorkerEvent) => void): void;
}
interface WorkerEvent {
  request: Request;
  /** Of a message: the addresses of what a page had before there was a service worker. */
  data: string[];
  respondWith(response: Promise<Response>): void;
  waitUntil(promise: Promise<unknown>): void;
}
const scope = self as unknown as Scope;

const ASSETS = 'assets';
const PAGES = 'pages';

scope.addEventListener('install', () => void scope.skipWaiting());
scope.addEventListener('activate', (event) => event.waitUntil(scope.clients.claim()));
scope.addEventListener('message', (event) => event.waitUntil(keepSeen(event.data)));
scope.addEventListener('fetch', (event) => {
  const { request } = event;
  if (!request.url.startsWith(scope.registration.scope) || request.method !== 'GET') return;
  event.respondWith(answer(request, (keeping) => event.waitUntil(keeping)));
});

const isAsset = (url: string) => new URL(url).pathname.includes('/assets/');

/** Assets come from the cache if they are there; all else from the server if it can be reached. */
async function answer(request: Request, later: (keeping: Promise<void>) => void): Promise<Response> {
  const kept = isAsset(request.url) ? await inCache(request) : undefined;
  if (kept) return isolated(kept);
  let response: Response;
  try {
    response = await fetch(request);
  } catch (error) {
    const seen = await inCache(request);
    if (seen) return isolated(seen);
    throw error;
  }
  if (response.ok && response.status === 200) later(keep(request, response.clone()));
  return isolated(response);
}

/** A cache that cannot be read has nothing. */
async function inCache(request: Request): Promise<Response | undefined> {
  try {
    const cache = await caches.open(isAsset(request.url) ? ASSETS : PAGES);
    return await cache.match(request, { ignoreSearch: !isAsset(request.url) });
  } catch {
    return undefined;
  }
}

function isolated(response: Response): Response {
  if (response.status === 0) return response;
  const headers = new Headers(response.headers);
  headers.set('Cross-Origin-Opener-Policy', 'same-origin');
  headers.set('Cross-Origin-Embedder-Policy', 'require-corp');
  const { status, statusText } = response;
  return new Response(response.body, { status, statusText, headers });
}

/** Keeps this version of a file, and forgets the previous one. Where there is no room, the file is fetched again the next time. */
async function keep(request: Request, response: Response): Promise<void> {
  try {
    const cache = await caches.open(isAsset(request.url) ? ASSETS : PAGES);
    await cache.put(request, response);
    if (!isAsset(request.url)) return;
    const { pathname } = new URL(request.url);
    for (const old of await cache.keys())
      if (new URL(old.url).pathname === pathname && old.url !== request.url) await cache.delete(old);
  } catch {
    await response.body?.cancel().catch(() => {});
  }
}

/** The files that the first page had loaded before the service worker ran. */
async function keepSeen(urls: readonly string[]): Promise<void> {
  for (const url of urls) {
    if (!url.startsWith(scope.registration.scope)) continue;
    const request = new Request(url);
    if (await inCache(request)) continue;
    // The browser has just had it: nothing is loaded twice.
    const response = await fetch(request, { cache: 'force-cache' }).catch(() => undefined);
    if (response?.status === 200) await keep(request, response);
  }
}
