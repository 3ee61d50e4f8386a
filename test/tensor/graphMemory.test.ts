import { setTimeout } from 'node:timers/promises';
import { expect } from 'chai';
import { createCollector } from '../../lib/backend/collect.node.ts';
import type { Storage } from '../../lib/backend/storage.ts';
import { macrotask } from '../../lib/backend/yieldToRuntime.ts';
import { useBackend } from '../../lib/index.ts';
import type { GraphNode } from '../../lib/tensor/autograd.ts';
import { tensorOf, valuesOf } from '../ops/inputs.ts';
import type { Operation } from '../ops/operation.ts';
import { OPERATIONS } from '../ops/table.ts';

/** A graph holds the numbers that a derivative reads, and no others: they are most of what a step needs in memory. */

/** Collections, at most, until what nobody holds is gone. */
const ROUNDS = 20;

/** What the operations of a graph have saved. */
function savedIn(node: GraphNode, saved = new Set<Storage>()): Set<Storage> {
  for (const { tensor } of node.saved) if (tensor) saved.add(tensor.storage);
  for (const input of node.inputs) if (input && 'saved' in input) savedIn(input, saved);
  return saved;
}

/** The graph of the operation on inputs that somebody else has computed, and weak references to these and to the result. */
function graphOf({ name, apply, cases }: Operation, i: number) {
  const inputs = cases[i].map((input, j) => {
    const leaf = tensorOf(input, valuesOf(input, `${name} ${i} ${j}`));
    return input.dtype === 'float32' ? leaf.requiresGrad_().add(0) : leaf;
  });
  const out = apply(...inputs);
  return { node: out.node!, made: [...inputs, out].map(({ storage }) => new WeakRef(storage)) };
}

/** What of a graph's inputs and result is still in memory, though no derivative reads it. */
function unread({ node, made }: ReturnType<typeof graphOf>): Storage[] {
  const saved = savedIn(node);
  return made
    .map((reference) => reference.deref())
    .filter((each) => each !== undefined && !saved.has(each)) as Storage[];
}

describe('the memory of a graph', () => {
  const operations = OPERATIONS.filter(({ gradient }) => gradient);
  let graphs: ReturnType<typeof graphOf>[][];

  before(async () => {
    await useBackend('js');
    graphs = operations.map((operation) => operation.cases.map((_, i) => graphOf(operation, i)));
    // V8 compiles on other threads meanwhile, and holds what it looks at until it is done.
    for (let round = 0; round < ROUNDS; round++) {
      await setTimeout(20); // a weak reference holds what it was made of until the job ends
      createCollector()!.collect();
      await macrotask();
      if (graphs.flat().every((graph) => unread(graph).length === 0)) break;
    }
  });

  operations.forEach(({ name }, i) => {
    it(`of ${name} is what its derivative reads`, () => {
      for (const graph of graphs[i]) expect(unread(graph)).to.have.length(0);
    });
  });
});
