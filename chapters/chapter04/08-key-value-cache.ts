import { cat, noGrad, type Tensor, UserError, zeros } from '../../lib/index.ts';
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

  /**
   * Forgets what came after the first `length` tokens. A layer with a window may have let go what the next token would
   * see: then all is forgotten, so ask for the `length` that is left.
   */
  truncate(length: number): void {
    const left = this.#layers.every((layer) => layer.canTruncate(length)) ? length : 0;
    for (const layer of this.#layers) layer.truncate(left);
  }
}

const FIRST_ROOM = 64;

/**
 * The keys and values of one block. Room for twice as many is made whenever it runs out. Where tokens see only a window,
 * those that have left it are not moved along.
 */
export class KeysAndValues implements Past {
  #length = 0;
  /** The token whose keys lie first in the room. */
  #first = 0;
  #window = Number.POSITIVE_INFINITY;
  #keys: Tensor | undefined; // [b, h, room, d]
  #values: Tensor | undefined;

  get length(): number {
    return this.#length;
  }

  /**
   * Adds those of t more tokens, each [b, h, t, d], and returns those of all, [b, h, T, d]; with a window only the last
   * window − 1 + t, which is all that the t tokens see.
   * @throws UserError if they are for a different number of texts from those before
   */
  append(keys: Tensor, values: Tensor, window = Number.POSITIVE_INFINITY): { keys: Tensor; values: Tensor } {
    const batch = this.#keys?.shape[0];
    if (batch !== undefined && batch !== keys.shape[0])
      throw new UserError(`the cache is for ${batch} texts, not ${keys.shape[0]}: begin with a new one`);
    const fresh = keys.shape[2]; // t
    return noGrad(() => {
      const seen = Math.max(this.#first, this.#length - (window - 1)); // the first token that is still seen
      const [from, kept, to] = [seen - this.#first, this.#length - seen, this.#length - this.#first];
      this.#length += fresh;
      this.#window = window;
      if (fresh >= window) {
        // Nothing of what was there before is seen by the token after these.
        const behind = (room: Tensor | undefined, x: Tensor) =>
          room && kept > 0 ? cat([room.narrow(2, from, kept), x], 2) : x; // [b, h, kept + t, d]
        const all = { keys: behind(this.#keys, keys), values: behind(this.#values, values) };
        const last = (x: Tensor) => withRoom(undefined, x.narrow(2, fresh - window, window), 0, 0, 0).room;
        [this.#keys, this.#values] = [last(keys), last(values)];
        this.#first = this.#length - window;
        return all;
      }
      const [k, v] = [
        withRoom(this.#keys, keys, from, kept, to),
        withRoom(this.#values, values, from, kept, to),
      ];
      if (k.room !== this.#keys) this.#first = seen;
      [this.#keys, this.#values] = [k.room, v.room];
      return { keys: k.all, values: v.all };
    });
  }

  /** Would the token after the first `length` find all that it sees? */
  canTruncate(length: number): boolean {
    return this.#first <= Math.max(0, length - (this.#window - 1));
  }

  truncate(length: number): void {
    if (length > this.#length) throw new UserError(`a cache of ${this.#length} tokens has no ${length}`);
    this.#length = length;
    this.#first = Math.min(this.#first, length);
  }
}

/**
 * Writes `fresh` [b, h, t, d] to a room [b, h, room, d] in which tokens lie up to place `to`. If it is too small, the last
 * `kept` of them, which begin at place `from`, are moved to a larger one.
 * @returns the room; and in it the `kept` and the fresh ones, [b, h, kept + t, d]
 */
function withRoom(
  room: Tensor | undefined,
  fresh: Tensor,
  from: number,
  kept: number,
  to: number,
): { room: Tensor; all: Tensor } {
  const [batch, heads, more, width] = fresh.shape;
  if (room && to + more <= room.shape[2]) {
    room.narrow(2, to, more).copyInPlace(fresh);
    return { room, all: room.narrow(2, from, kept + more) };
  }
  const larger = zeros(batch, heads, Math.max(FIRST_ROOM, 2 * (kept + more)), width);
  if (room && kept > 0) larger.narrow(2, 0, kept).copyInPlace(room.narrow(2, from, kept));
  larger.narrow(2, kept, more).copyInPlace(fresh);
  return { room: larger, all: larger.narrow(2, 0, kept + more) };
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
