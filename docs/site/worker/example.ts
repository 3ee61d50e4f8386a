/** Runs the code of an example: its types are taken out, its imports are the modules of this book. */

import { modules } from 'site:modules';
import { transform } from 'sucrase';
import { UserError } from '../../../lib/index.ts';
import * as fs from '../node/fs.ts';
import * as os from '../node/os.ts';
import * as path from '../node/path.ts';
import { absolute } from '../node/store.ts';

const OF_NODE: Record<string, unknown> = { 'node:fs': fs, 'node:os': os, 'node:path': path };
const NAME = 'example.js';

type Body = (...values: unknown[]) => Promise<void>;
const AsyncFunction = (async () => {}).constructor as new (...words: string[]) => Body;

/**
 * Runs an example and resolves to what it exports.
 *
 * @param folder where it stands in the repository: relative imports start there
 * @throws UserError, or whatever the code throws
 */
export function runExample(code: string, folder: string): Promise<object> {
  return runModule(code, folder, { name: NAME });
}

interface Surroundings {
  /** As an error names it. */
  name?: string;
  /** Modules that take the place of the book's, by path. */
  modules?: Record<string, unknown>;
  globals?: Record<string, unknown>;
}

/** Runs the text of a module, in whose place others may stand. */
export async function runModule(code: string, folder: string, around: Surroundings = {}): Promise<object> {
  const { name = 'module.js', modules: given = {}, globals = {} } = around;
  let program: string;
  try {
    program = transform(code, { transforms: ['typescript', 'imports'] }).code;
  } catch (error) {
    const { message, loc } = error as Error & { loc?: { line: number } };
    const what = message.replace(/^Error transforming [^:]*: /, '');
    throw Object.assign(new UserError(what), { line: loc?.line });
  }
  const imported = new Map<string, unknown>();
  for (const [, from] of program.matchAll(/require\('([^']+)'\)/g)) {
    if (!imported.has(from))
      imported.set(from, given[pathOf(from, folder)] ?? (await importModule(from, folder)));
  }
  const words = ['require', 'exports', ...Object.keys(globals)];
  // A function's head takes up two lines before its body.
  const body = new AsyncFunction(...words, `${program}\n//# sourceURL=${name}`);
  const exports = {};
  await body((from: string) => imported.get(from), exports, ...Object.values(globals));
  return exports;
}

const pathOf = (name: string, folder: string): string =>
  name.startsWith('.') ? absolute(`${folder}/${name}`).slice(1) : name;

/** A module of the book, imported from a folder of it. */
export async function importModule(name: string, folder: string): Promise<unknown> {
  if (name in OF_NODE) return OF_NODE[name];
  const load = modules[pathOf(name, folder)];
  if (!load)
    throw new UserError(
      `there is no module '${name}' here: import files of lib and chapters, such as '../../lib/index.ts'`,
    );
  return load();
}

/** The line of an example that threw, counted from 1. V8 and Firefox name the place in their own ways, both with the name of the source. */
export function lineOf(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined;
  const { line, stack = '' } = error as Error & { line?: number };
  const [, thrown] = /example\.js:(\d+)/.exec(stack) ?? [];
  return line ?? (thrown === undefined ? undefined : Number(thrown) - 2);
}
