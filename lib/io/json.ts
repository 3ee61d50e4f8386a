import { UserError } from '../errors.ts';
import { openFile } from './files.ts';

/** Configurations and indexes are kilobytes; anything larger is not one. */
const MOST_BYTES = 50_000_000;

/**
 * A JSON object from a file.
 *
 * @param what what the file is to the user, e.g. `the adapter's configuration`
 * @throws UserError if it is missing, too large, or not a JSON object
 */
export function readJson(path: string, what: string): Record<string, unknown> {
  const file = openFile(path, what);
  try {
    if (file.size > MOST_BYTES) throw new UserError(`${path} has ${file.size} bytes, too many for ${what}`);
    return parseJsonObject(file.read(0, file.size), path);
  } finally {
    file.close();
  }
}

/** A JSON object from bytes. @throws UserError if they are something else */
export function parseJsonObject(bytes: Uint8Array, name: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new UserError(`${name} is not JSON; it may be damaged or cut short, so get it again`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UserError(`${name} is not a JSON object; it may be another file than was meant`);
  }
  return value as Record<string, unknown>;
}
