/** The twin of chapters/datasets/hub-file.ts for a page: downloads a file of a model, which lasts as long as the program. */

import { Progress } from '../../../chapters/common/progress.ts';
import { UserError } from '../../../lib/errors.ts';
import { readAll } from './readAll.ts';
import { writeBytes } from './store.ts';

/** The files of a repository lie in one folder, by their names, as in a checkout of it. */
export async function hubFile(
  repository: string,
  path: string,
  print: (line: string) => void = () => {},
): Promise<string> {
  const response = await fetch(`https://huggingface.co/${repository}/resolve/main/${path}`).catch(
    () => undefined,
  );
  if (!response) throw new UserError('the Hugging Face hub cannot be reached');
  if (!response.ok) throw new UserError(`the hub answered ${response.status}`);
  const size = Number(response.headers.get('content-length'));
  const [unit, name] = size >= 1e6 ? [1e6, 'MB'] : [1e3, 'kB'];
  const inUnits = (bytes: number) => Math.ceil(bytes / unit);
  print(
    `Downloading ${path} of ${repository} from the Hugging Face hub${size ? `: ${inUnits(size)} ${name}` : ''}`,
  );
  const progress = new Progress(`  ${path} (${name})`, inUnits(size || 1));
  const bytes = await readAll(response, (received) => progress.update(inUnits(received)));
  progress.stop();
  const file = `/hub/${repository}/${path}`;
  writeBytes(file, bytes, false);
  return file;
}
