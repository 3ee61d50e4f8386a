import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Figures } from '../choose.ts';

/** The measurements of this machine (choose.ts), kept from run to run in a file of the user's cache. */

/** Everything about the machine that the figures depend on. */
export function describeMachine(): string {
  const require = createRequire(import.meta.url);
  const versions = ['gpu.js', 'webgpu'].map((name) => `${name} ${require(`${name}/package.json`).version}`);
  return [...versions, `node ${process.version}`, cpus()[0]?.model ?? 'unknown CPU'].join('; ');
}

export function readFigures(key: string): Figures | undefined {
  return readAll()[key];
}

export function writeFigures(key: string, figures: Figures): void {
  const file = cacheFile();
  const unfinished = `${file}.${process.pid}`;
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(unfinished, JSON.stringify({ ...readAll(), [key]: figures }, null, 2));
    renameSync(unfinished, file);
  } catch {
    // A home folder that cannot be written to costs a measurement at each start, no more.
  }
}

function readAll(): Record<string, Figures> {
  try {
    return JSON.parse(readFileSync(cacheFile(), 'utf8'));
  } catch {
    // Not there yet, or not ours: it is only a cache.
    return {};
  }
}

function cacheFile(): string {
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  return join(cache, 'llms-from-scratch-ts', 'backends.json');
}
