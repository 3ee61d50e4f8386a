/** `node:process`, as far as commander uses it. */

import { process } from './globals.ts';

export const { env, stdout, stderr, versions } = process;
