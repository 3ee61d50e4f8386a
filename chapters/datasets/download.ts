/** Downloading a file once, checked by its hash, with a quick and plain failure when there is no network. */

import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { io, UserError } from '../../lib/index.ts';
import { fetchThrough, proxyFor } from './proxy.ts';

export interface DownloadOptions {
  /** Anything else is refused. */
  sha256?: string;
  /** How long to wait for the host to be reached at all; offline machines should not keep users waiting. */
  connectTimeoutMs?: number;
  /** How long to wait for the answer, and between two pieces of it. */
  stallTimeoutMs?: number;
  /** Called with the bytes so far, and the total where the server tells it. */
  onProgress?: (received: number, total: number | undefined) => void;
}

/** The file could not be fetched: no network, a server's refusal, or content other than expected. */
export class DownloadError extends UserError {
  override name = 'DownloadError';
}

/**
 * Fetches `url` to `path`: written beside, checked, then renamed, so `path` is whole or absent.
 *
 * @throws DownloadError if the host is not reached, answers with an error, stalls, or the hash differs
 */
export async function downloadFile(url: string, path: string, options: DownloadOptions = {}): Promise<void> {
  const { connectTimeoutMs = 2000, stallTimeoutMs = 20000 } = options;
  const address = new URL(url);
  await reachHost(proxyFor(address, process.env) ?? address, connectTimeoutMs);
  const watchdog = new Watchdog(stallTimeoutMs);
  try {
    const response = await fetchThrough(address, { signal: watchdog.signal }, process.env);
    if (!response.ok || !response.body) throw new DownloadError(`${url} answered ${response.status}`);
    const { body } = response;
    const total = Number(response.headers.get('content-length')) || undefined;
    const hash = createHash('sha256');
    let received = 0;
    await io.writeBeside(path, async (write) => {
      for await (const piece of body) {
        watchdog.reset();
        hash.update(piece);
        await write(piece);
        received += piece.length;
        options.onProgress?.(received, total);
      }
      const digest = hash.digest('hex');
      if (options.sha256 && digest !== options.sha256) {
        throw new DownloadError(io.wrongHash(`what ${url} sent`, digest, options.sha256));
      }
    });
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new DownloadError(`${url} could not be fetched: ${causeOf(error)}`);
  } finally {
    watchdog.stop();
  }
}

/** Opens and closes a connection: `fetch` has no connect time-out of its own that could be set. */
export function reachHost(url: URL, timeoutMs: number): Promise<void> {
  const port = Number(url.port) || (url.protocol === 'http:' ? 80 : 443);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: url.hostname, port });
    const fail = (why: string) => {
      socket.destroy();
      reject(new DownloadError(`${url.hostname} cannot be reached (${why})`));
    };
    // A timer of ours and not the socket's, which does not run while the name is being looked up.
    const timer = setTimeout(() => fail(`no answer in ${timeoutMs / 1000} s`), timeoutMs);
    socket.once('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      fail(error.code ?? error.message);
    });
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.destroy();
      resolve();
    });
  });
}

/** Aborts a request when nothing has happened for a while. */
export class Watchdog {
  private readonly controller = new AbortController();
  private readonly timer: NodeJS.Timeout;
  readonly signal = this.controller.signal;

  constructor(timeoutMs: number) {
    this.timer = setTimeout(
      () => this.controller.abort(new Error(`stalled for ${timeoutMs / 1000} s`)),
      timeoutMs,
    );
  }

  reset(): void {
    this.timer.refresh();
  }

  stop(): void {
    clearTimeout(this.timer);
  }
}

/** `fetch failed` hides what happened in its cause. */
export function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause;
  return cause instanceof Error ? ((cause as NodeJS.ErrnoException).code ?? cause.message) : error.message;
}
