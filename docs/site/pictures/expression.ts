/** Appendix A: an expression as the reader types it, such as `sigmoid(w * x + b)`. */

import { UserError } from '../../../lib/index.ts';

/** A number, a name, or an operation on others. */
export type Expression = { number: number } | { name: string } | { operation: string; of: Expression[] };

export const FUNCTIONS = ['exp', 'log', 'sqrt', 'sin', 'tanh', 'sigmoid', 'relu', 'abs'] as const;
const WORDS = /\s*(\d+\.?\d*|\.\d+|[A-Za-z_]\w*|[-+*/^(),]|\S)/y;

/** @throws UserError in one line that says where it cannot be read */
export function parse(text: string): Expression {
  const words = [...text.matchAll(new RegExp(WORDS, 'gy'))].map(([, word]) => word);
  let at = 0;

  const sum = (): Expression => chain(product, ['+', '-']);
  const product = (): Expression => chain(factor, ['*', '/']);

  /** Operations of one rank, from left to right. */
  function chain(part: () => Expression, operations: readonly string[]): Expression {
    let left = part();
    while (operations.includes(words[at])) left = { operation: words[at++], of: [left, part()] };
    return left;
  }

  function factor(): Expression {
    if (words[at] === '-') {
      at++;
      return { operation: 'neg', of: [factor()] };
    }
    const base = atom();
    if (words[at] !== '^') return base;
    at++;
    return { operation: '^', of: [base, factor()] };
  }

  function atom(): Expression {
    const word = words[at++];
    if (word === '(') return inBrackets();
    if (/^[\d.]/.test(word ?? '')) return { number: Number(word) };
    if (!/^[A-Za-z_]/.test(word ?? '')) throw unexpected(at - 1);
    if (words[at] !== '(') return { name: word };
    at++;
    if (!(FUNCTIONS as readonly string[]).includes(word))
      throw new UserError(`there is no function '${word}' here: take one of ${FUNCTIONS.join(', ')}`);
    return { operation: word, of: [inBrackets()] };
  }

  function inBrackets(): Expression {
    const inside = sum();
    if (words[at++] !== ')') throw unexpected(at - 1);
    return inside;
  }

  function unexpected(where: number): UserError {
    const found = where < words.length ? `'${words[where]}'` : 'its end';
    return new UserError(`the expression cannot be read at ${found}: write, for example, sigmoid(w * x + b)`);
  }

  const whole = sum();
  if (at < words.length) throw unexpected(at);
  return whole;
}

/** `x = 1.1, w = 2.2` @throws UserError if it is not that */
export function parseValues(text: string): Map<string, number> {
  const values = new Map<string, number>();
  for (const part of text.split(',').filter((each) => each.trim() !== '')) {
    const [, name, value] = /^\s*([A-Za-z_]\w*)\s*=\s*(\S+)\s*$/.exec(part) ?? [];
    if (name === undefined || !Number.isFinite(Number(value)))
      throw new UserError(`a value is expected as in 'x = 1.1', not '${part.trim()}'`);
    values.set(name, Number(value));
  }
  return values;
}
