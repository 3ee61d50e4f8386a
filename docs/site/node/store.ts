/**
 * The files that a program in the page sees: bytes by path, in the memory of its worker. `/` is this repository. What a
 * program reads of it (weights, a story) is fetched when it is asked for; what it writes is reported to whoever
 * listens.
 */

/** Files of the repository that the site carries: by path, the version to ask for. `build.ts` fills it in. */
declare const SITE_ASSETS: Record<string, string>;

const files = new Map<string, Uint8Array>();
const folders = new Set<string>(['/', '/tmp']);
let listener: (path: string, bytes: Uint8Array) => void = () => {};

/** Who is told of each file that is finished. */
export function onWritten(next: typeof listener): void {
  listener = next;
}

let reader: (path: string) => void = () => {};

/** Who is told of each file that is opened. */
export function onRead(next: typeof reader): void {
  reader = next;
}

/** An error as Node's: the library makes its one line of `code`. */
export function systemError(code: string, syscall: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${syscall} '${path}'`), { code, syscall, path });
}

/** An absolute path without `.` and `..`. */
export function absolute(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

/** The address of a file of the repository, from a worker of the site. */
export function assetUrl(path: string): string {
  const name = absolute(path).slice(1);
  return new URL(`../assets/${name}?${SITE_ASSETS[name]}`, self.location.href).href;
}

export function isAsset(path: string): boolean {
  return absolute(path).slice(1) in SITE_ASSETS;
}

/** A file's bytes, or undefined. Waits for one that has to be fetched, as a worker may. */
export function readBytes(path: string): Uint8Array | undefined {
  const name = absolute(path);
  reader(name);
  const known = files.get(name);
  if (known || !isAsset(name)) return known;
  const request = new XMLHttpRequest();
  request.open('GET', assetUrl(name), false);
  request.responseType = 'arraybuffer';
  request.send();
  if (request.status !== 200) return undefined;
  const bytes = new Uint8Array(request.response as ArrayBuffer);
  files.set(name, bytes);
  return bytes;
}

/** Puts a file there, as `bytes` are now or will be. */
export function writeBytes(path: string, bytes: Uint8Array, isFinished = true): void {
  const name = absolute(path);
  files.set(name, bytes);
  makeFolder(name.slice(0, name.lastIndexOf('/')));
  if (isFinished) listener(name, bytes);
}

export function makeFolder(path: string): void {
  for (let name = absolute(path); name !== '/'; name = absolute(`${name}/..`)) folders.add(name);
}

export function kindOf(path: string): 'file' | 'folder' | undefined {
  const name = absolute(path);
  if (files.has(name) || isAsset(name)) return 'file';
  if (folders.has(name)) return 'folder';
  const inside = Object.keys(SITE_ASSETS).some((asset) => `/${asset}`.startsWith(`${name}/`));
  return inside ? 'folder' : undefined;
}

export function remove(path: string): void {
  const name = absolute(path);
  for (const known of [...files.keys()])
    if (known === name || known.startsWith(`${name}/`)) files.delete(known);
  folders.delete(name);
}

/** The names in a folder. */
export function namesIn(path: string): string[] {
  const prefix = absolute(path) === '/' ? '/' : `${absolute(path)}/`;
  const all = [...files.keys(), ...folders, ...Object.keys(SITE_ASSETS).map((name) => `/${name}`)];
  const inside = all.filter((name) => name.startsWith(prefix) && name !== prefix);
  return [...new Set(inside.map((name) => name.slice(prefix.length).split('/')[0]))].sort();
}
