/** Appendix A: the graph of an expression, each node with its value and with the gradient of the result. */

import { type Tensor, tensor, UserError } from '../../../lib/index.ts';
import { short } from '../client/draw.ts';
import { type Drawn, drawn, svg } from './drawn.ts';
import { type Expression, type FUNCTIONS, parse, parseValues } from './expression.ts';
import type { InputOf } from './pictures.ts';

export interface GraphNode {
  label: string;
  /** The places of its inputs, which come before it. */
  inputs: readonly number[];
  value: number;
  /** How fast the result grows with this node; a number that was written down has none. */
  gradient?: number;
  /** The length of the longest way to it from the left. */
  column: number;
}

type Operation = (a: Tensor, b: Tensor) => Tensor;
const OPERATIONS: Record<(typeof FUNCTIONS)[number] | 'neg' | '+' | '-' | '*' | '/' | '^', Operation> = {
  '+': (a, b) => a.add(b),
  '-': (a, b) => a.sub(b),
  '*': (a, b) => a.mul(b),
  '/': (a, b) => a.div(b),
  '^': (a, b) => a.pow(b),
  neg: (a) => a.neg(),
  exp: (a) => a.exp(),
  log: (a) => a.log(),
  sqrt: (a) => a.sqrt(),
  sin: (a) => a.sin(),
  tanh: (a) => a.tanh(),
  sigmoid: (a) => a.sigmoid(),
  relu: (a) => a.relu(),
  abs: (a) => a.abs(),
};

/**
 * The nodes in the order in which they are computed. Gradients gather in leaves only; so a leaf of value 0 is added to the
 * result of each operation, and its gradient is that of the result.
 *
 * @throws UserError if a name has no value, or there is nothing to differentiate
 */
export function graphOf(expression: Expression, values: ReadonlyMap<string, number>): GraphNode[] {
  const nodes: (Omit<GraphNode, 'value' | 'gradient'> & { out: Tensor; leaf?: Tensor })[] = [];
  const names = new Map<string, number>();

  function add(part: Expression): number {
    if ('number' in part) {
      return nodes.push({ label: String(part.number), inputs: [], column: 0, out: tensor(part.number) }) - 1;
    }
    if ('name' in part) return names.get(part.name) ?? addName(part.name);
    const inputs = part.of.map(add);
    const [a, b] = inputs.map((i) => nodes[i].out);
    const leaf = tensor(0, { requiresGrad: true });
    const out = OPERATIONS[part.operation as keyof typeof OPERATIONS](a, b).add(leaf);
    const column = 1 + Math.max(...inputs.map((i) => nodes[i].column));
    return nodes.push({ label: part.operation, inputs, column, out, leaf }) - 1;
  }

  function addName(name: string): number {
    const value = values.get(name);
    if (value === undefined)
      throw new UserError(`${name} has no value: write '${name} = 1' among the values`);
    const out = tensor(value, { requiresGrad: true });
    const place = nodes.push({ label: name, inputs: [], column: 0, out, leaf: out }) - 1;
    names.set(name, place);
    return place;
  }

  add(expression);
  const result = nodes.at(-1)!;
  if (result.inputs.length === 0)
    throw new UserError('there is nothing to compute: write, for example, w * x + b');
  result.out.backward();
  return nodes.map(({ out, leaf, ...rest }) => ({
    ...rest,
    value: out.item(),
    gradient: leaf?.grad?.item(),
  }));
}

const [WIDTH, HEIGHT, GAP, LINE] = [92, 52, 36, 15];

export function drawGraph({ expression, values }: InputOf<'graph'>): Drawn {
  const nodes = graphOf(parse(expression), parseValues(values));
  const taken: number[] = [];
  const places = nodes.map(({ column }) => {
    const row = taken[column] ?? 0;
    taken[column] = row + 1;
    return { x: column * (WIDTH + GAP), y: row * (HEIGHT + 12) };
  });
  const edges = nodes.flatMap(({ inputs }, i) =>
    inputs.map((from) => {
      const [x, y] = [places[from].x + WIDTH, places[from].y + HEIGHT / 2];
      const [toX, toY] = [places[i].x, places[i].y + HEIGHT / 2];
      return drawn('path', { d: `M${x} ${y}C${x + GAP / 2} ${y} ${toX - GAP / 2} ${toY} ${toX} ${toY}` });
    }),
  );
  const boxes = nodes.map(({ label, value, gradient }, i) => {
    const { x, y } = places[i];
    const line = (n: number, text: string) => drawn('text', { x: x + 8, y: y + LINE * n }, text);
    const slope = gradient === undefined ? [] : [line(3, `∂ ${short(gradient)}`)];
    const box = drawn('rect', { x: x + 1, y: y + 1, width: WIDTH - 2, height: HEIGHT - 2, rx: 6 });
    return drawn('g', { 'data-link': i }, box, line(1, label), line(2, `= ${short(value)}`), ...slope);
  });
  const words = nodes.map(({ label, value, gradient }) =>
    gradient === undefined ? label : `${label} is ${short(value)}, gradient ${short(gradient)}`,
  );
  const width = Math.max(...places.map(({ x }) => x)) + WIDTH;
  const height = Math.max(...places.map(({ y }) => y)) + HEIGHT;
  const picture = svg(`Graph: ${words.join('; ')}`, width, height, ...edges, ...boxes);
  return drawn(
    'div',
    { class: 'wide graph', tabindex: 0, role: 'region', 'aria-label': 'Graph of the expression' },
    picture,
  );
}
