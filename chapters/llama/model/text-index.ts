/** Texts by their number: an array, which may have holes, or a GGUF file's list. */
export interface Texts extends Iterable<string> {
  readonly length: number;
  at(index: number): string | undefined;
}

/**
 * Where a text stands in a list: its first place. A `Map` would do the same, and hold a quarter of a million strings for a large
 * vocabulary; this is a table of numbers (open addressing), which finds the place by the text's hash and looks there.
 */
export class TextIndex {
  readonly #texts: Texts;
  /** Places in the list, −1 where there is none. At most half of it is used. */
  readonly #table: Int32Array;

  /** @param isIn which places count; all of them, unless it says otherwise */
  constructor(texts: Texts, isIn: (index: number) => boolean = () => true) {
    this.#texts = texts;
    this.#table = new Int32Array(2 ** Math.ceil(Math.log2(2 * texts.length + 2))).fill(-1);
    for (let i = 0; i < texts.length; i++) {
      const text = isIn(i) ? texts.at(i) : undefined;
      if (text === undefined) continue;
      const slot = this.#slotOf(text);
      if (this.#table[slot] < 0) this.#table[slot] = i; // the first of two that are the same
    }
  }

  get(text: string): number | undefined {
    const index = this.#table[this.#slotOf(text)];
    return index < 0 ? undefined : index;
  }

  has(text: string): boolean {
    return this.get(text) !== undefined;
  }

  /** The slot that has a text, or the free one where it would go. */
  #slotOf(text: string): number {
    const last = this.#table.length - 1;
    let slot = hashOf(text) & last;
    while (this.#table[slot] >= 0 && this.#texts.at(this.#table[slot]) !== text) slot = (slot + 1) & last;
    return slot;
  }
}

/** FNV-1a (Fowler, Noll & Vo), with its upper bits mixed into the lower ones. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash ^ (hash >>> 15);
}
