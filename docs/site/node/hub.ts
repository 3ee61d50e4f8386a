/** The twin of chapters/datasets/hub-file.ts for a page: downloads a file of a model, and keeps it under its SHA-256. */

import { Progress } from '../../../chapters/common/progress.ts';
import { UserError } from '../../../lib/errors.ts';
import { createHash } from './crypto.ts';
import { makeFolder, writeBytes } from './store.ts';

export async function hubFile(
  repository: string,
  path: string,
  print: (line: string) => void = () => {},
): Promise<string> {
  print(`Downloading ${path} of ${repository} from the Hugging Face hub`);
  const response = await fetch(`https://huggingface.co/${repository}/resolve/main/${path}`);
  if (!response.ok || !response.body) throw new UserError(`the hub answered ${response.status}`);
  const total = Number(response.headers.get('content-length')) || 1;
  const progress = new Progress(`  ${path}, bytes`, total);
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  const hash = createHash('sha256');
  let received = 0;
  const reader = response.body.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    pieces.push(next.value);
    hash.update(next.value);
    progress.update((received += next.value.length));
  }
  progress.stop();
  const name = `/hub/${hash.digest('hex')}`;
  makeFolder('/hub');
  writeBytes(name, new Uint8Array(await new Blob(pieces).arrayBuffer()), false);
  return name;
}
