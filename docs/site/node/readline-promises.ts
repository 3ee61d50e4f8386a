/** `node:readline/promises`: there is no keyboard to read lines from in the page's programs. */

import { UserError } from '../../../lib/index.ts';

export function createInterface(): never {
  throw new UserError('the page has no terminal to type into: use --prompt TEXT');
}
