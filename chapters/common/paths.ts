/** Paths on the command line: relative to the user's folder, and checked before the work that needs them. */

import { readdirSync, realpathSync, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
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

/** A path among the options, and what is done with it. */
interface GivenPath {
  flag: string;
  path: string;
  option: PathSpec;
}

/**
 * Checks every path among the options: what is to be read must be there, what is to be written must be possible, and nothing
 * that is read is written. A folder for results is this process's own from now on, until it ends.
 *
 * @param within the folder in it that the program writes to, where it is not the whole: `chapter06` in `runs`
 * @throws UserError that names the option and the path
 */
export async function checkPaths(
  options: OptionSpecs,
  values: Record<string, unknown>,
  within = '',
): Promise<void> {
  const given: GivenPath[] = [];
  for (const [name, option] of Object.entries(options)) {
    if (option.type !== 'path') continue;
    const value = values[name] ?? option.otherwise;
    if (typeof value !== 'string' || option.words?.includes(value)) continue;
    const path = option.access === 'writeFolder' ? join(value, within) : value;
    if (values[name] !== undefined) given.push({ flag: `--${kebab(name)}`, path, option });
    else if (io.kindOfPath(path) !== 'nothing') given.push({ flag: 'the program', path, option });
  }
  const isRead = ({ option }: GivenPath) => option.access === 'read';
  for (const each of given) await checkPath(each);
  refuseToWriteWhatIsRead(
    given.filter(isRead),
    given.filter((each) => !isRead(each)),
  );
  refuseToWriteAmongResults(given);
  for (const { path, option } of given) if (option.access === 'writeFolder') await io.holdFolder(path);
}

async function checkPath({ flag, path, option }: GivenPath): Promise<void> {
  if (option.access === 'writeFolder') return; // it is tried when it is held
  if (option.access === 'writeFile') {
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

/** The folders of this project that no program writes to: the models and texts that are shipped are there. */
const PROJECT = fileURLToPath(new URL('../../', import.meta.url));
const SHIPPED = ['chapters', 'lib'].map((name) => join(PROJECT, name));

/**
 * Nothing that is read is written, under whatever name: real files are compared, so that links, `..` and letters of another
 * case do not matter.
 * @throws UserError that names both
 */
function refuseToWriteWhatIsRead(reads: readonly GivenPath[], writes: readonly GivenPath[]): void {
  for (const write of writes) {
    const shipped = SHIPPED.find((folder) => isInside(write.path, folder));
    if (shipped)
      throw new UserError(`${write.flag} ${write.path} is part of this project: give another place`);
    for (const read of reads) {
      if (!writesOver(write, read.path)) continue;
      throw new UserError(
        `${write.flag} would write to ${write.path}, and ${read.flag} reads ${read.path}: give another place`,
      );
    }
  }
}

/**
 * A file that is named must not take the place of one of the results in a folder that the same command writes to. Beside them
 * it may be, by the ending that no result there has.
 */
function refuseToWriteAmongResults(given: readonly GivenPath[]): void {
  const folders = given.filter(({ option }) => option.access === 'writeFolder');
  for (const { flag, path, option } of given.filter(({ option }) => option.access === 'writeFile')) {
    const folder = folders.find((each) => isInside(dirname(path), each.path));
    if (!folder) continue;
    const ending = option.ending ?? '.json';
    const isResult = folder.option.files?.includes(basename(path)) ?? !path.toLowerCase().endsWith(ending);
    if (isSame(dirname(path), folder.path) && !isResult) continue;
    const other = join(folder.path, basename(path).replace(/(\.\w+)?$/, ending));
    throw new UserError(
      `${flag} ${path} would lie among the results of ${folder.flag}: give another place, such as ${other}`,
    );
  }
}

function writesOver({ path, option }: GivenPath, read: string): boolean {
  const isFolder = io.kindOfPath(read) === 'folder';
  const filesRead = isFolder ? readdirSync(read).map((name) => join(read, name)) : [read];
  const isRead = (file: string) => filesRead.some((each) => isSame(each, file));
  if (option.access === 'writeFile') return isRead(path) || (isFolder && isSame(dirname(path), read));
  if (option.files) return option.files.some((name) => isRead(join(path, name)));
  return isInside(read, path);
}

/** The real place of a path, as far as it is there; what is not there follows as it was written. */
function realPlace(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    const above = dirname(resolve(path));
    return above === resolve(path) ? above : join(realPlace(above), basename(path));
  }
}

/** Is it the same file or folder, under two names perhaps? */
function isSame(a: string, b: string): boolean {
  const [one, other] = [a, b].map(realPlace);
  const [first, second] = [one, other].map((path) => {
    return io.kindOfPath(path) === 'nothing' ? undefined : statSync(path, { bigint: true });
  });
  // Two names of one file, on file systems that number their files.
  const isLinked = first?.ino && first.dev === second?.dev && first.ino === second?.ino;
  return one === other || Boolean(isLinked);
}

/** Is `path` that folder, or does it lie in it, however deep? */
function isInside(path: string, folder: string): boolean {
  for (let place = realPlace(path); ; place = dirname(place)) {
    if (isSame(place, folder)) return true;
    if (dirname(place) === place) return false;
  }
}
