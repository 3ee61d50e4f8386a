import { type OpenFile, openFile } from './files.ts';
import { type GgufFile, readGguf } from './gguf.ts';

/**
 * Opens a GGUF file for as long as `use` runs: its header is read at once, a tensor's numbers when they are asked for.
 * @throws UserError if it is missing or does not hold together
 */
export function withGguf<T>(path: string, use: (file: GgufFile) => T): T {
  return withOpenedGguf(openFile(path, 'the weights'), path, use);
}

/** The same for a file that is open, which is then closed. */
export function withOpenedGguf<T>(file: OpenFile, name: string, use: (file: GgufFile) => T): T {
  try {
    return use(readGguf(file.read, file.size, name));
  } finally {
    file.close();
  }
}
