import { inWords } from '../../arguments.ts';
import { UserError } from '../../errors.ts';
import { requireTensors } from '../requireTensors.ts';
import { formatShape, sizeOf } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { matmul } from './matmul.ts';
import { diagonal } from './views.ts';

/**
 * Einstein's summation: `einsum('bij,bjk->bik', a, b)`. A letter names an axis; axes with one letter run together, and
 * are summed over unless the letter stands behind the arrow. Everything is put together from views, products and
 * matrix products, and so is the derivative.
 */

/** A tensor with a label for each axis: a letter, or `…n` for the nth axis from the right that an ellipsis covers. */
interface Labelled {
  readonly x: Tensor;
  readonly labels: readonly string[];
}

const isEllipsis = (label: string) => label.startsWith('…');

/** The letters of one term, with `…` for an ellipsis. @throws UserError if something else is in it */
function symbolsOf(term: string, equation: string): string[] {
  const symbols = [...term.replaceAll(' ', '').replace('...', '…')];
  const wrong = symbols.find((symbol) => !/[A-Za-z…]/.test(symbol));
  if (wrong !== undefined) {
    throw new UserError(
      `einsum: '${wrong}' in '${equation}' is not a letter, nor part of the one ellipsis of a term`,
    );
  }
  return symbols;
}

/** Labels for the axes of an operand. @throws UserError if there are more or fewer than the term names */
function labelled(x: Tensor, symbols: readonly string[], position: number): Labelled {
  const covered = x.ndim - symbols.filter((symbol) => symbol !== '…').length;
  if (symbols.includes('…') ? covered < 0 : covered !== 0) {
    throw new UserError(
      `einsum: operand ${position} has the shape ${formatShape(x.shape)}, ` +
        `but '${symbols.join('').replace('…', '...')}' names other axes`,
    );
  }
  const ellipsis = Array.from({ length: covered }, (_, i) => `…${covered - i}`);
  return { x, labels: symbols.flatMap((symbol) => (symbol === '…' ? ellipsis : [symbol])) };
}

/** Axes with the same label as one, along their diagonal. */
function withoutRepeats({ x, labels }: Labelled, position: number): Labelled {
  const second = labels.findIndex((label, axis) => labels.indexOf(label) < axis);
  if (second === -1) return { x, labels };
  const first = labels.indexOf(labels[second]);
  if (x.shape[first] !== x.shape[second]) {
    throw new UserError(
      `einsum: '${labels[second]}' stands twice in operand ${position}, for axes of length ${x.shape[first]} and ${x.shape[second]}`,
    );
  }
  const others = labels.filter((_, axis) => axis !== first && axis !== second);
  const merged = { x: diagonal(x, first, second), labels: [...others, labels[second]] };
  return withoutRepeats(merged, position);
}

/** The length of each label. @throws UserError if two lengths do not broadcast */
function lengthsOf(operands: readonly Labelled[]): Map<string, number> {
  const lengths = new Map<string, number>();
  for (const { x, labels } of operands) {
    for (const [axis, label] of labels.entries()) {
      const before = lengths.get(label) ?? 1;
      const length = x.shape[axis];
      if (before !== 1 && length !== 1 && before !== length) {
        const what = isEllipsis(label) ? 'an axis of the ellipsis' : `'${label}'`;
        throw new UserError(`einsum: ${what} has length ${before} in one operand and ${length} in another`);
      }
      lengths.set(label, before === 1 ? length : before);
    }
  }
  return lengths;
}

/** Without an arrow: the ellipsis, and then in alphabetical order what stands once. */
function implicitOutput(terms: readonly (readonly string[])[]): string[] {
  const all = terms.flat();
  const once = all.filter((symbol) => symbol !== '…' && all.indexOf(symbol) === all.lastIndexOf(symbol));
  return [...(all.includes('…') ? ['…'] : []), ...once.sort()];
}

/** The output's labels. @throws UserError for one that no operand has or that stands twice */
function outputLabels(symbols: readonly string[], lengths: ReadonlyMap<string, number>): string[] {
  const ellipsis = [...lengths.keys()].filter(isEllipsis).sort((a, b) => +b.slice(1) - +a.slice(1));
  const labels = symbols.flatMap((symbol) => (symbol === '…' ? ellipsis : [symbol]));
  for (const [i, label] of labels.entries()) {
    if (!lengths.has(label)) throw new UserError(`einsum: no operand has the axis '${label}' of the output`);
    if (labels.indexOf(label) < i) throw new UserError(`einsum: '${label}' stands twice in the output`);
  }
  return labels;
}

/** Sums over the axes that are in neither list any more, and drops those of length 1 that another operand repeats. */
function reduced({ x, labels }: Labelled, keep: (label: string, length: number) => boolean): Labelled {
  const gone = labels.flatMap((label, axis) => (keep(label, x.shape[axis]) ? [] : [axis]));
  if (gone.length === 0) return { x, labels };
  return { x: x.sum(gone), labels: labels.filter((_, axis) => !gone.includes(axis)) };
}

/** The axes in this order. Labels that the tensor lacks become axes of length 1. */
function aligned({ x, labels }: Labelled, order: readonly string[]): Tensor {
  const present = order.filter((label) => labels.includes(label));
  const permuted = x.permute(present.map((label) => labels.indexOf(label)));
  let axis = 0;
  return permuted.reshape(order.map((label) => (labels.includes(label) ? permuted.shape[axis++] : 1)));
}

/** The product of two operands, summed over the labels that are not wanted. */
function contract(left: Labelled, right: Labelled, wanted: ReadonlySet<string>): Labelled {
  const lengths = lengthsOf([left, right]);
  // An axis that only one has, or that has length 1 against a longer one, is not a part of the matrix product.
  const keepIn = (other: Labelled) => (label: string, length: number) =>
    length === lengths.get(label) && (wanted.has(label) || other.labels.includes(label));
  const a = reduced(left, keepIn(right));
  const b = reduced(right, keepIn(left));
  const summed = (label: string) => !wanted.has(label);
  const common = a.labels.filter((label) => b.labels.includes(label));
  const batch = common.filter((label) => !summed(label));
  const inner = common.filter(summed);
  const alone = (from: Labelled) => from.labels.filter((label) => !common.includes(label));
  const [rows, columns] = [alone(a), alone(b)];
  const labels = [...batch, ...rows, ...columns];
  if (inner.length === 0) {
    const x = aligned(a, labels).mul(aligned(b, labels));
    return reduced({ x, labels }, (label) => wanted.has(label));
  }
  const size = (list: readonly string[]) => sizeOf(list.map((label) => lengths.get(label)!));
  const [batches, m, k, n] = [batch, rows, inner, columns].map(size);
  const product = matmul(
    aligned(a, [...batch, ...rows, ...inner]).reshape([batches, m, k]),
    aligned(b, [...batch, ...inner, ...columns]).reshape([batches, k, n]),
  ); // [batches, m, n]
  const x = product.reshape(labels.map((label) => lengths.get(label)!));
  return reduced({ x, labels }, (label) => wanted.has(label));
}

/**
 * The sum over products that the equation names, as torch.einsum: letters for axes, `...` for any further ones, which
 * broadcast; without `->` the output has the ellipsis and the letters that stand once, in alphabetical order. Operands
 * are contracted from left to right.
 * @throws UserError if the equation and the operands do not fit
 */
export function einsum(equation: string, ...operands: (Tensor | readonly Tensor[])[]): Tensor {
  if (typeof equation !== 'string')
    throw new UserError(`einsum: an equation such as 'ij,jk->ik' comes first, not ${inWords(equation)}`);
  const tensors = operands.flat() as Tensor[];
  requireTensors('einsum', ...tensors);
  const [inputs, output, ...more] = equation.split('->');
  const terms = inputs.split(',').map((term) => symbolsOf(term, equation));
  if (more.length > 0) throw new UserError(`einsum: '${equation}' has more than one arrow`);
  if (terms.length !== tensors.length) {
    throw new UserError(`einsum: '${equation}' is for ${terms.length} operands, not ${tensors.length}`);
  }
  const parts = tensors.map((x, i) => withoutRepeats(labelled(x, terms[i], i), i));
  const lengths = lengthsOf(parts);
  const labels = outputLabels(
    output === undefined ? implicitOutput(terms) : symbolsOf(output, equation),
    lengths,
  );
  const product = parts.reduce((left, right, i) =>
    contract(left, right, new Set([...labels, ...parts.slice(i + 1).flatMap((part) => part.labels)])),
  );
  const result = reduced(product, (label) => labels.includes(label));
  return aligned(result, labels);
}
