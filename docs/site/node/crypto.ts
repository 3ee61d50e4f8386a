/**
 * `node:crypto`, as far as the chapters use it. The browser's own SHA-256 does not answer at once, as this one
 * must.
 */

import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';

export const randomUUID = (): string => crypto.randomUUID();

export function createHash(name: string) {
  if (name !== 'sha256') throw new Error(`there is no ${name} in the page`);
  const hash = sha256.create();
  const self = {
    update(data: Uint8Array | string) {
      hash.update(typeof data === 'string' ? new TextEncoder().encode(data) : data);
      return self;
    },
    digest: (_encoding: 'hex') => bytesToHex(hash.digest()),
  };
  return self;
}
