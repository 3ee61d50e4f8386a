/**
 * A list of many short texts, such as a vocabulary of 262,144 tokens: kept as one text, and the places where that is cut. As
 * strings of their own they would take four times the memory, and the garbage collector would visit each.
 */
export class TextList implements Iterable<string> {
  readonly #whole: string;
  /** Where each text ends, in units of UTF-16. */
  readonly #ends: Uint32Array;

  /** @param ends where each text ends in `whole`, in units of UTF-16 */
  constructor(whole: string, ends: Uint32Array) {
    this.#whole = whole;
    this.#ends = ends;
  }

  /** How many texts there are. */
  get length(): number {
    return this.#ends.length;
  }

  /** The text at a place, counted from 0; `undefined` beyond the end. */
  at(index: number): string | undefined {
    const end = this.#ends[index];
    return end === undefined ? undefined : this.#whole.slice(index === 0 ? 0 : this.#ends[index - 1], end);
  }

  /** The texts, in order. */
  *[Symbol.iterator](): Generator<string> {
    for (let i = 0; i < this.length; i++) yield this.at(i)!;
  }

  /** As JSON it is an ordinary list. */
  toJSON(): string[] {
    return [...this];
  }
}
