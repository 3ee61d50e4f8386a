/**
 * Sentences from templates. `{a|b|c}` is one of the alternatives (one may be empty), `{name}` an entry of the
 * word list of that name, which may be a template itself; they nest.
 */

import { random } from '../../../lib/index.ts';

/** Word lists by name; a function makes an entry up, such as a number. */
export type WordLists = Record<string, readonly string[] | ((random: Random) => string)>;

/** The draws a text generator needs. */
export class Random {
  private readonly engine: random.Mt19937;

  constructor(seed: number) {
    this.engine = new random.Mt19937(seed);
  }

  /** A whole number in 0 … n − 1. */
  below(n: number): number {
    return Math.floor(this.engine.nextDouble() * n);
  }

  /** True with probability p. */
  chance(p: number): boolean {
    return this.engine.nextDouble() < p;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)];
  }

  /** n decimal digits. */
  digits(n: number): string {
    return Array.from({ length: n }, () => this.below(10)).join('');
  }

  /** The items in a random order. */
  shuffled<T>(items: readonly T[]): T[] {
    const order = [...items];
    for (let i = order.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [order[i], order[j]] = [order[j], order[i]];
    }
    return order;
  }
}

/** Fills a template, innermost braces first. @throws Error on the name of a list that does not exist */
export function expand(template: string, lists: WordLists, random: Random): string {
  const innermost = /\{([^{}]*)\}/;
  let text = template;
  for (let found = innermost.exec(text); found; found = innermost.exec(text)) {
    const [whole, content] = found;
    text = text.slice(0, found.index) + fill(content, lists, random) + text.slice(found.index + whole.length);
  }
  return text.replace(/ {2,}/g, ' ').trim();
}

function fill(content: string, lists: WordLists, random: Random): string {
  if (content.includes('|')) return random.pick(content.split('|'));
  const list = lists[content];
  if (list === undefined) throw new Error(`no word list '${content}'`);
  return typeof list === 'function' ? list(random) : random.pick(list);
}
