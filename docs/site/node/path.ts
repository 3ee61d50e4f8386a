/** `node:path`, as far as the chapters use it: paths with slashes, and `/` is where a program runs. */

import { absolute } from './store.ts';

export const sep = '/';

export function join(...parts: string[]): string {
  const joined = parts.filter(Boolean).join('/');
  return joined.startsWith('/') ? absolute(joined) : absolute(joined).slice(1) || '.';
}

export function resolve(...parts: string[]): string {
  const from = parts.findLastIndex((part) => part.startsWith('/'));
  return absolute(parts.slice(Math.max(0, from)).join('/'));
}

export const isAbsolute = (path: string): boolean => path.startsWith('/');

export function dirname(path: string): string {
  const end = path.replace(/\/+$/, '').lastIndexOf('/');
  return end < 0 ? '.' : path.slice(0, end) || '/';
}

export function basename(path: string, suffix = ''): string {
  const name = path.replace(/\/+$/, '').split('/').at(-1)!;
  return name.endsWith(suffix) ? name.slice(0, name.length - suffix.length) : name;
}

export const extname = (path: string): string => /[^/.](\.[^./]*)$/.exec(path)?.[1] ?? '';
export const relative = (from: string, to: string): string => {
  const [start, end] = [absolute(from), absolute(to)];
  return end.startsWith(start) ? end.slice(start.length).replace(/^\//, '') : end;
};
