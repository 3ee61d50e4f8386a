import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The small models of newer families that transformers has saved, with random numbers. */
export const TINY_GEMMA = fileURLToPath(new URL('../fixtures/gemma/tiny', import.meta.url));
export const TINY_LLAMA = fileURLToPath(new URL('../fixtures/llama/tiny', import.meta.url));

/** A copy of one that sees longer texts: positions are turned, so its numbers stay what they are. */
export function withLongContext(folder: string, copy: string, contextLength = 512): string {
  cpSync(folder, copy, { recursive: true });
  const path = join(copy, 'config.json');
  const config = JSON.parse(readFileSync(path, 'utf8'));
  writeFileSync(path, JSON.stringify({ ...config, max_position_embeddings: contextLength }));
  return copy;
}
