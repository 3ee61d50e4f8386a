import type { Operation } from './operation.ts';
import { attention } from './table/attention.ts';
import { summations } from './table/einsum.ts';
import { elementwise } from './table/elementwise.ts';
import { indexing } from './table/indexing.ts';
import { logic } from './table/logic.ts';
import { losses } from './table/losses.ts';
import { network } from './table/network.ts';
import { reductions } from './table/reduce.ts';
import { scattering } from './table/scatter.ts';
import { shapes } from './table/shapes.ts';

/**
 * Every operation of the library, once: how we write it, how PyTorch does, and the inputs it is tried on.
 * check.ts runs it over a backend; fixtures/ops.py writes down what PyTorch answers.
 */
export const OPERATIONS: readonly Operation[] = [
  ...elementwise,
  ...reductions,
  ...network,
  ...attention,
  ...losses,
  ...shapes,
  ...indexing,
  ...scattering,
  ...logic,
  ...summations,
];
