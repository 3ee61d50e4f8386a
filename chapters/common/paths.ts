/** Paths on the command line: relative to the user's folder, and checked before the work that needs them. */

import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { io, UserError } from '../../lib/index.ts';
import { kebab, type OptionSpecs, type PathSpec } from './options.ts';

/**
 * A path as the user meant it. npm runs a script in the package's folder, wherever in it the user is, and leaves the
 * user's own folder in INIT_CWD.
 */
export function userPath(path: string, environment: Record<string, string | undefined>): string {
  const { INIT_CWD: standing, npm_package_json: manifest } = environment;
  const movedByNpm = manifest && dirname(manifest) === process.cwd();
  return standing && movedByNpm && standing !== process.cwd() ? resolve(standing, path) : path;
}

/**
 * Checks every path among the options: what is to be read must be there, what is to be written must be possible.
 * @throws UserError that names the option and the path
 */
export async function checkPaths(options: OptionSpecs, values: Record<string, unknown>): Promise<void> {
  for (const [name, option] of Object.entries(options)) {
    const path = values[name];
    if (option.type !== 'path' || typeof path !== 'string' || option.words?.includes(path)) continue;
    await checkPath(`--${kebab(name)}`, option, path);
  }
}

async function checkPath(flag: string, { access }: PathSpec, path: string): Promise<void> {
  if (access === 'writeFolder') return io.requireWritableFolder(path);
  if (access === 'writeFile') {
    const isFolder = await stat(path).then(
      (found) => found.isDirectory(),
      () => false,
    );
    if (isFolder) throw new UserError(`${flag} ${path} is a folder; name a file in it`);
    return io.requireWritableFolder(dirname(path));
  }
  try {
    await stat(path);
  } catch (error) {
    throw io.cannotRead(path, flag, error);
  }
}
