import { noGrad, type Tensor, UserError, zeros } from '../../lib/index.ts';
import type { Past } from '../chapter03/index.ts';
import type { Notebook } from '../common/notebook.ts';
import type { GPTModel } from './06-gpt-model.ts';

/**
 * What attention has to remember of the tokens it has seen: their keys and values, in each block. With them only the
 * next token goes through the model, not the whole text once more; its answer is the same, since no token looks
 * at later ones. (Queries are not kept: a token asks only once.)
 *
 *      without       Every effort moves you forward        with        ░░░░░ ░░░░░░ ░░░░░ ░░░ forward
 *                    └── all go through the model ──┘                  └─ keys, values ─┘ └─ alone ─┘
 */
export class KeyValueCache {
  readonly #layers: KeysAndValues[] = [];

  /** Tokens seen so far. */
  get length(): number {
    return this.#layers[0]?.length ?? 0;
  }

  /** The keys and values of one block. */
  layer(i: number): KeysAndValues {
    return (this.#layers[i] ??= new KeysAndValues());
  }

  /** Forgets what came after the first `length` tokens. */
  truncate(length: number): void {
    for (const layer of this.#layers) layer.truncate(length);
  }
}

const FIRST_ROOM = 64;

/** The keys and values of one block. Room for twice as many is made whenever it runs out. */
export class KeysAndValues implements Past {
  #length = 0;
  #keys: Tensor | undefined; // [b, h, room, d]
  #values: Tensor | undefined;

  get length(): number {
    return this.#length;
  }

  /**
   * Adds those of t more tokens, each [b, h, t, d], and returns those of all, [b, h, T, d].
   * @throws UserError if they are for a different number of texts from those before
   */
  append(keys: Tensor, values: Tensor): { keys: Tensor; values: Tensor } {
    const batch = this.#keys?.shape[0];
    if (batch !== undefined && batch !== keys.shape[0])
      throw new UserError(`the cache is for ${batch} texts, not ${keys.shape[0]}: begin with a new one`);
    return noGrad(() => {
      const from = this.#length;
      const to = from + keys.shape[2];
      this.#keys = withRoom(this.#keys, keys, from, to);
      this.#values = withRoom(this.#values, values, from, to);
      this.#length = to;
      return { keys: this.#keys.narrow(2, 0, to), values: this.#values.narrow(2, 0, to) };
    });
  }

  truncate(length: number): void {
    if (length > this.#length) throw new UserError(`a cache of ${this.#length} tokens has no ${length}`);
    this.#length = length;
  }
}

/** `kept` [b, h, room, d] with `fresh` written to positions from … to − 1; moved to a larger one if it is full. */
function withRoom(kept: Tensor | undefined, fresh: Tensor, from: number, to: number): Tensor {
  const [batch, heads, , width] = fresh.shape;
  let target = kept;
  if (!target || target.shape[2] < to) {
    target = zeros(batch, heads, Math.max(FIRST_ROOM, 2 * to), width);
    if (kept && from > 0) target.narrow(2, 0, from).copyInPlace(kept.narrow(2, 0, from));
  }
  target.narrow(2, from, to - from).copyInPlace(fresh);
  return target;
}

/** How much is computed for a text of some length without a cache and with one, and how much is kept. */
export function showCache(nb: Notebook, { config }: GPTModel, tokens = 100): void {
  const passed = (tokens * (tokens + 1)) / 2;
  nb.note(`Generating ${tokens} tokens after the first one:`);
  nb.note(`  without a cache ${passed.toLocaleString('en')} tokens go through the model, with one ${tokens}`);
  const kept = 2 * config.nLayers * config.embDim;
  const megabytes = (4 * kept * config.contextLength) / 1e6;
  nb.note(
    `  ${kept.toLocaleString('en')} numbers are kept for each token: ${megabytes.toFixed(0)} MB for a context of ${config.contextLength}`,
  );
}
