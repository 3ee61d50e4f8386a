import { noGrad, type Tensor, UserError, zeros } from '../../lib/index.ts';

/**
 * What attention has to remember of the tokens it has seen: their keys and values, in each block. With them the next token
 * alone goes through the model, in place of the whole text once more; its answer is the same, since no token looks
 * at later ones. (Queries are not kept: a token asks only once.)
 */
export class KeyValueCache {
  readonly #layers: KeysAndValues[] = [];
  #seen: number[] = [];

  /** Tokens seen so far. */
  get length(): number {
    return this.#layers[0]?.length ?? 0;
  }

  /** The tokens themselves, where whoever fills the cache has told them (`note`). */
  get seen(): readonly number[] {
    return this.#seen;
  }

  /** Says which tokens went through the model. */
  note(ids: readonly number[]): void {
    for (const id of ids) this.#seen.push(id);
  }

  /** The keys and values of one block. */
  layer(i: number): KeysAndValues {
    return (this.#layers[i] ??= new KeysAndValues());
  }

  /** Forgets what came after the first `length` tokens. */
  truncate(length: number): void {
    for (const layer of this.#layers) layer.truncate(length);
    this.#seen.length = Math.min(this.#seen.length, length);
  }
}

const FIRST_ROOM = 64;

/** The keys and values of one block. Room for twice as many is made whenever it runs out. */
export class KeysAndValues {
  #length = 0;
  #keys: Tensor | undefined; // [b, h, room, d]
  #values: Tensor | undefined;

  get length(): number {
    return this.#length;
  }

  /** Adds those of t more tokens, each [b, h, t, d], and gives those of all, [b, h, T, d]. */
  append(keys: Tensor, values: Tensor): { keys: Tensor; values: Tensor } {
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
