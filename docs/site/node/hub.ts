/** The twin of chapters/datasets/hub-file.ts for a page: downloads a file of a model, and keeps it under its SHA-256. */

import { Progress } from '../../../chapters/common/progress.ts';
import { UserError } from '../../../lib/errors.ts';
import { createHash } from './crypto.ts';
import { readAll } from './readAll.ts';
import { makeFolder, writeBytes } from './store.ts';

export async function hubFile(
  repository: string,
  path: string,
  print: (line: string) => void = () => {},
): Promise<string> {
  print(`Downloading ${path} of ${repository} from the Hugging Face hub`);
  const response = await fetch(`https://huggingface.co/${repository}/resolve/main/${path}`);
  if (!response.ok) throw new UserError(`the hub answered ${response.status}`);
  const total = Number(response.headers.get('content-length')) || 1;
  const progress = new Progress(`  ${path}, bytes`, total);
  const bytes = await readAll(response, (received) => progress.update(received));
  progress.stop();
  const name = `/hub/${createHash('sha256').update(bytes).digest('hex')}`;
  makeFolder('/hub');
  writeBytes(name, bytes, false);
  return name;
}
