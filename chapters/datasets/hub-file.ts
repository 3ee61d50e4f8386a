import { createHash } from 'node:crypto';
import { createReadStream, existsSync, statSync } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { io, UserError } from '../../lib/index.ts';
import { Progress } from '../common/progress.ts';
import { causeOf, reachHost, Watchdog } from './download.ts';
import { type Environment, fetchThrough, proxyFor } from './proxy.ts';

/**
 * A file of a model on the Hugging Face hub, in the cache that Python's huggingface_hub keeps, and with its environment
 * variables: HF_HOME, HF_HUB_CACHE, HF_HUB_OFFLINE, HF_ENDPOINT, HF_TOKEN; and through a proxy where one is named.
 *
 *      HF_HOME/hub/models--openai-community--gpt2/
 *          refs/main                                   the commit that `main` was
 *          snapshots/COMMIT/model.safetensors  ──▶     a symbolic link into blobs, or, where there are none, the file
 *          blobs/SHA-256                               what was downloaded; .incomplete until it is whole
 */

/** @throws UserError if the file is not in the cache and cannot be downloaded, or is not what it should be */
export async function hubFile(
  repository: string,
  path: string,
  print: (line: string) => void = () => {},
  environment: Environment = process.env,
): Promise<string> {
  const folder = join(cacheFolder(environment), `models--${repository.replaceAll('/', '--')}`);
  const cached = await findCached(folder, path);
  if (cached) return cached;
  if (/^(1|true|yes|on)$/i.test(environment.HF_HUB_OFFLINE ?? '')) {
    throw new UserError(
      `${path} of ${repository} is not in the cache (${folder}), and HF_HUB_OFFLINE forbids downloading it`,
    );
  }
  const endpoint = (environment.HF_ENDPOINT || 'https://huggingface.co').replace(/\/+$/, '');
  print(`Downloading ${path} of ${repository} from ${endpoint}, once`);
  return download(folder, `${endpoint}/${repository}/resolve/main/${path}`, path, print, environment);
}

function cacheFolder(environment: Environment): string {
  const { HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, HF_HOME, XDG_CACHE_HOME } = environment;
  const home = HF_HOME || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'huggingface');
  return HF_HUB_CACHE || HUGGINGFACE_HUB_CACHE || join(home, 'hub');
}

/** The file as `main` was when it was last asked for; a cache that does not say which usually has one snapshot. */
async function findCached(folder: string, path: string): Promise<string | undefined> {
  const main = await readFile(join(folder, 'refs', 'main'), 'utf8').catch(() => undefined);
  const snapshots = await readdir(join(folder, 'snapshots')).catch(() => []);
  const commits = main === undefined ? snapshots : [main.trim()];
  return commits.map((commit) => join(folder, 'snapshots', commit, path)).find((file) => existsSync(file));
}

async function download(
  folder: string,
  address: string,
  path: string,
  print: (line: string) => void,
  environment: Environment,
): Promise<string> {
  if (!URL.canParse(address))
    throw new UserError(`${address} is not an address: check HF_ENDPOINT, such as https://huggingface.co`);
  const url = new URL(address);
  const token = environment.HF_TOKEN;
  const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
  try {
    await reachHost(proxyFor(url, environment) ?? url, 2000);
    // The answer for a large file redirects to another host, and its own headers say what will be found there.
    const about = await fetchThrough(url, { method: 'HEAD', redirect: 'manual', headers }, environment);
    if (about.status >= 400) throw new UserError(refusal(url, about.status));
    const name = (about.headers.get('x-linked-etag') ?? about.headers.get('etag') ?? '').replaceAll(
      /^W\/|"/g,
      '',
    );
    const size = Number(
      about.headers.get('x-linked-size') ?? about.headers.get('content-length') ?? Number.NaN,
    );
    const commit = about.headers.get('x-repo-commit') ?? name;
    if (!/^[\w-]+$/.test(name) || !/^[\w-]+$/.test(commit) || !Number.isSafeInteger(size))
      throw new UserError(`${url} does not answer as the Hugging Face hub does; check HF_ENDPOINT`);

    const blob = join(folder, 'blobs', name);
    const pointer = join(folder, 'snapshots', commit, path);
    await io.withLock(
      `${blob}.lock`,
      async () => {
        // Meanwhile the other one may have finished it.
        if (existsSync(pointer)) return;
        if (!existsSync(blob)) await fetchBlob(url, blob, name, size, headers, environment);
        await mkdir(dirname(pointer), { recursive: true });
        await rm(pointer, { force: true });
        // Where there are no links (Windows, FAT), Python's cache has the file itself here too.
        await symlink(relative(dirname(pointer), blob), pointer).catch(() => rename(blob, pointer));
      },
      () => print('Another process is downloading it; waiting for that'),
    );
    await io.writeFileAtomically(join(folder, 'refs', 'main'), commit);
    return pointer;
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${url} could not be fetched: ${causeOf(error)}`);
  }
}

function refusal(url: URL, status: number): string {
  if (status === 401 || status === 403)
    return `${url} may not be read (${status}): give a token with HF_TOKEN`;
  return `${url} answered ${status}`;
}

/** Downloads to `blob`.incomplete, continuing what an earlier try has left there, and checks what came. */
async function fetchBlob(
  url: URL,
  blob: string,
  name: string,
  size: number,
  headers: Record<string, string>,
  environment: Environment,
): Promise<void> {
  const part = `${blob}.incomplete`;
  await mkdir(dirname(blob), { recursive: true });
  let done = statSync(part, { throwIfNoEntry: false })?.size ?? 0;
  if (done > size) done = 0;
  if (done < size) {
    const watchdog = new Watchdog(20_000);
    const progress = new Progress(`  download (MB)`, Math.ceil(size / 1e6), Math.floor(done / 1e6));
    try {
      const range: Record<string, string> = done > 0 ? { range: `bytes=${done}-` } : {};
      const request = { headers: { ...headers, ...range }, signal: watchdog.signal };
      const answer = await fetchThrough(url, request, environment);
      if (!answer.ok || !answer.body) throw new UserError(refusal(url, answer.status));
      if (answer.status !== 206) done = 0; // it sends all of it
      const file = await open(part, done > 0 ? 'a' : 'w');
      try {
        for await (const piece of answer.body) {
          watchdog.reset();
          await file.write(piece);
          done += piece.length;
          progress.update(Math.floor(done / 1e6));
        }
      } finally {
        await file.close();
      }
    } finally {
      watchdog.stop();
      progress.stop();
    }
  }
  if (done < size)
    throw new UserError(
      `${url} ended after ${done} of ${size} bytes: run this again, and it goes on from there`,
    );
  await checkContent(part, name, size, url);
  await rename(part, blob);
}

/** The hub names a large file by its SHA-256, a small one by git's SHA-1; a mirror's own names say nothing. */
async function checkContent(part: string, name: string, size: number, url: URL): Promise<void> {
  const isSha256 = /^[0-9a-f]{64}$/.test(name);
  if (!isSha256 && !/^[0-9a-f]{40}$/.test(name)) return;
  const hash = createHash(isSha256 ? 'sha256' : 'sha1');
  if (!isSha256) hash.update(`blob ${size}\0`);
  try {
    for await (const piece of createReadStream(part)) hash.update(piece);
  } catch (error) {
    throw io.cannotRead(part, 'the download', error);
  }
  const found = hash.digest('hex');
  if (found === name) return;
  await rm(part, { force: true });
  throw new UserError(
    `what ${url} sent is damaged: its hash begins ${found.slice(0, 12)}, not ${name.slice(0, 12)}; it is deleted, run this again`,
  );
}
