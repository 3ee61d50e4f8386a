import { ones } from '../../../lib/index.ts';
import type { Notebook } from '../../common/notebook.ts';
import { formatTable } from '../../common/table.ts';
import { type GemmaConfig, numbersKept } from './config.ts';

/**
 * Sliding-window attention (Beltagy et al. 2020, https://arxiv.org/abs/2004.05150). In most blocks a token sees only the last
 * `window` tokens, itself among them. What lies further back reaches it through the blocks in between, as a rumour does, and
 * through every sixth block, which sees all.
 *
 *      all that came before        a window of 3
 *
 *      ■                           ■
 *      ■ ■                         ■ ■
 *      ■ ■ ■                       ■ ■ ■
 *      ■ ■ ■ ■                       ■ ■ ■
 *      ■ ■ ■ ■ ■                       ■ ■ ■
 *
 * The mask is one more triangle of chapter 3's kind (`hideDistant` of Llama's attention). Keys that have left the window are
 * seen by no token that is still to come, so the cache lets them go.
 */
export function windowPicture(tokens: number, window: number): string {
  const seen = ones(tokens, tokens).tril().sub(ones(tokens, tokens).tril(-window)); // [t, t]
  const rows = seen.toArray() as number[][];
  return rows.map((row) => row.map((one) => (one ? '■' : '·')).join(' ')).join('\n');
}

/** The mask of a small window; and what a cache keeps with windows and without. */
export function showWindows(nb: Notebook, config: GemmaConfig): void {
  nb.note(windowPicture(6, 3));
  const rows = [100, 512, 4096, config.contextLength].map((tokens) => {
    const [kept, all] = [numbersKept(config, tokens), numbersKept({ ...config, window: tokens }, tokens)];
    return [tokens, 4 * all, 4 * kept].map((value, i) =>
      i === 0 ? value.toLocaleString('en') : megabytes(value),
    );
  });
  nb.note(formatTable(['tokens', 'keys and values of all', 'with windows'], rows));
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
