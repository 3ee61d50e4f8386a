import { arange, F, noGrad, type Tensor, UserError, zeros } from '../../lib/index.ts';
import type { MultiHeadAttention } from '../chapter03/index.ts';
import type { Notebook } from '../common/notebook.ts';
import type { TransformerBlock } from './05-transformer-block.ts';
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

/** Chapter 3's attention for tokens that come after those in `past`: x [b, t, d] → [b, t, d]. */
function attendAfter(att: MultiHeadAttention, x: Tensor, past: KeysAndValues): Tensor {
  const [batch, tokens, width] = x.shape;
  const headDim = width / att.numHeads;
  const heads = (y: Tensor) => y.view(batch, tokens, att.numHeads, headDim).transpose(1, 2); // [b, h, t, d/h]
  const queries = heads(att.wQuery.forward(x)); // [b, h, t, d/h]
  const { keys, values } = past.append(heads(att.wKey.forward(x)), heads(att.wValue.forward(x))); // [b, h, T, d/h]
  const scores = queries.matmul(keys.transpose(2, 3)); // [b, h, t, T]
  // A token sees all those before the t new ones, and of these the ones up to itself.
  const weights = F.causalSoftmax(scores, 1 / Math.sqrt(headDim)); // [b, h, t, T]
  const context = weights.matmul(values); // [b, h, t, d/h]
  return att.outProj.forward(context.transpose(1, 2).flatten(2)); // [b, t, d]
}

/** Section 5's block, without dropout: x [b, t, d] → [b, t, d]. */
function blockAfter(block: TransformerBlock, x: Tensor, past: KeysAndValues): Tensor {
  x = x.add(attendAfter(block.att, block.norm1.forward(x), past)); // [b, t, d]
  return x.add(block.ff.forward(block.norm2.forward(x)));
}

/**
 * The model for tokens that come after those in the cache, into which they go: ids [b, t] → [b, 1, vocab], the logits of
 * the last position, which are all that generation asks for.
 *
 * @throws UserError if the model is training with dropout, or the tokens are more than its context length
 */
export function forwardWithCache(model: GPTModel, ids: Tensor, cache: KeyValueCache): Tensor {
  const { contextLength, dropRate } = model.config;
  if (model.training && dropRate > 0)
    throw new UserError('a cache goes with model.eval(): dropout would drop other numbers in each pass');
  const [before, tokens] = [cache.length, ids.shape[1]];
  if (before + tokens > contextLength) {
    throw new UserError(
      `the model sees at most ${contextLength} tokens, not ${before + tokens}: shorten the text`,
    );
  }
  const positions = arange(before, before + tokens); // [t]
  let x = model.tokEmb.forward(ids).add(model.posEmb.forward(positions)); // [b, t] → [b, t, d]
  for (const [i, block] of [...model.trfBlocks].entries()) x = blockAfter(block, x, cache.layer(i));
  const last = x.slice(1, -1); // [b, t, d] → [b, 1, d]
  return model.outHead.forward(model.finalNorm.forward(last)); // [b, 1, vocab]
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
