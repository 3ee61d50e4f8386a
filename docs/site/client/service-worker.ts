/**
 * Gives every answer of the site's server the two headers of an isolated page, which a host of static files does not send:
 * without them no memory is shared, and the engine has one thread. Large files named by their version are kept.
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
  respondWith(response: Promise<Response>): void;
  waitUntil(promise: Promise<unknown>): void;
}
const scope = self as unknown as Scope;

const CACHE = 'assets';

scope.addEventListener('install', () => void scope.skipWaiting());
scope.addEventListener('activate', (event) => event.waitUntil(scope.clients.claim()));
scope.addEventListener('fetch', (event) => {
  const { request } = event;
  if (!request.url.startsWith(scope.registration.scope) || request.method !== 'GET') return;
  event.respondWith(answer(request));
});

async function answer(request: Request): Promise<Response> {
  const isAsset = new URL(request.url).pathname.includes('/assets/');
  const cache = isAsset ? await caches.open(CACHE) : undefined;
  const kept = await cache?.match(request);
  const response = kept ?? (await fetch(request));
  if (cache && !kept && response.ok) await keep(cache, request, response.clone());
  if (response.status === 0) return response;
  const headers = new Headers(response.headers);
  headers.set('Cross-Origin-Opener-Policy', 'same-origin');
  headers.set('Cross-Origin-Embedder-Policy', 'require-corp');
  const { status, statusText } = response;
  return new Response(response.body, { status, statusText, headers });
}

/** Keeps this version, and forgets the previous one. */
async function keep(cache: Cache, request: Request, response: Response): Promise<void> {
  const { pathname } = new URL(request.url);
  for (const old of await cache.keys()) if (new URL(old.url).pathname === pathname) await cache.delete(old);
  await cache.put(request, response);
}
