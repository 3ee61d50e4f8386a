import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { Readable } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { UserError } from '../../lib/index.ts';

/**
 * `fetch` through the proxy that the environment names, as curl and Python's requests read it: HTTPS_PROXY, HTTP_PROXY,
 * ALL_PROXY, also in small letters, and NO_PROXY. Node's own `fetch` looks at none of them before version 24.
 *
 *      http://    GET http://host/path   to the proxy
 *      https://   CONNECT host:443       to the proxy, then TLS with the host through it
 */

export type Environment = Record<string, string | undefined>;

/** What of a request is needed here. */
export interface RequestOptions {
  method?: 'GET' | 'HEAD';
  headers?: Record<string, string>;
  redirect?: 'manual' | 'follow';
  signal?: AbortSignal;
}

/** The proxy for an address, or undefined. @throws UserError if it is not the address of an HTTP proxy */
export function proxyFor(url: URL, environment: Environment): URL | undefined {
  const read = (name: string) => environment[name] || environment[name.toUpperCase()];
  const proxy = read(url.protocol === 'https:' ? 'https_proxy' : 'http_proxy') ?? read('all_proxy');
  if (!proxy || isExcepted(url, read('no_proxy') ?? '')) return undefined;
  const whole = proxy.includes('://') ? proxy : `http://${proxy}`;
  if (/^https?:/.test(whole) && URL.canParse(whole)) return new URL(whole);
  throw new UserError(`the proxy ${proxy} cannot be used: an address such as http://proxy:8080 is expected`);
}

/** `localhost,.example.org,10.0.0.1:8080,*`: a name stands for what ends in it, too. */
function isExcepted({ hostname, port, protocol }: URL, list: string): boolean {
  const own = port || (protocol === 'https:' ? '443' : '80');
  return list.split(/[\s,]+/).some((entry) => {
    if (entry === '*') return true;
    const [, name, only] = /^\*?\.?(.*?)(?::(\d+))?$/.exec(entry.toLowerCase())!;
    if (name === '' || (only !== undefined && only !== own)) return false;
    return hostname === name || hostname.endsWith(`.${name}`);
  });
}

/** What `fetch` answers, through the proxy if there is one. Errors as of `fetch`, and UserError from the proxy. */
export async function fetchThrough(
  url: URL,
  options: RequestOptions,
  environment: Environment,
): Promise<Response> {
  const proxy = proxyFor(url, environment);
  if (!proxy) return fetch(url, options);
  const response = await (url.protocol === 'https:' ? throughTunnel : throughRelay)(url, proxy, options);
  const location = response.headers.get('location');
  if (options.redirect === 'manual' || !location || response.status < 300 || response.status >= 400)
    return response;
  await response.body?.cancel();
  const next = new URL(location, url);
  // A token is for the host that it was given to.
  const { authorization, ...others } = options.headers ?? {};
  const headers = next.host === url.host ? options.headers : others;
  return fetchThrough(next, { ...options, headers }, environment);
}

function throughRelay(url: URL, proxy: URL, options: RequestOptions): Promise<Response> {
  const { method, signal } = options;
  const headers = { ...options.headers, ...credentials(proxy), host: url.host };
  return new Promise((resolve, reject) => {
    requesterTo(proxy)(proxy, { path: url.href, method, headers, signal, agent: false }, (answer) =>
      resolve(responseOf(answer, method)),
    )
      .once('error', reject)
      .end();
  });
}

function throughTunnel(url: URL, proxy: URL, options: RequestOptions): Promise<Response> {
  const { method, headers, signal } = options;
  const host = `${url.hostname}:${url.port || 443}`;
  return new Promise((resolve, reject) => {
    const tunnel = { path: host, method: 'CONNECT', headers: { ...credentials(proxy), host }, signal };
    requesterTo(proxy)(proxy, { ...tunnel, agent: false })
      .once('connect', (answer, socket) => {
        if (answer.statusCode !== 200) {
          socket.destroy();
          reject(new UserError(`the proxy ${proxy.host} refuses ${host}: it answered ${answer.statusCode}`));
          return;
        }
        const createConnection = () => connectTls({ socket, servername: url.hostname });
        requestHttps(url, { method, headers, signal, createConnection }, (response) =>
          resolve(responseOf(response, method)),
        )
          .once('error', reject)
          .end();
      })
      .once('error', reject)
      .end();
  });
}

function requesterTo(proxy: URL): typeof requestHttp {
  return proxy.protocol === 'https:' ? requestHttps : requestHttp;
}

function credentials({ username, password }: URL): Record<string, string> {
  if (username === '') return {};
  const both = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(both).toString('base64')}` };
}

function responseOf(answer: Readable & { statusCode?: number; headers: object }, method?: string): Response {
  const headers = Object.entries(answer.headers).map(([name, value]): [string, string] => [
    name,
    String(value),
  ]);
  const hasBody = method !== 'HEAD' && ![204, 304].includes(answer.statusCode!);
  if (!hasBody) answer.resume();
  const body = hasBody ? (Readable.toWeb(answer) as ReadableStream) : null;
  return new Response(body, { status: answer.statusCode, headers });
}
