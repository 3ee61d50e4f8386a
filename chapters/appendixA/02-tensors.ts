import { type Tensor, tensor } from '../../lib/index.ts';
import { type Notebook, torchSize } from '../common/notebook.ts';

/**
 * A tensor is numbers with a shape. Ids and labels are int32; plain numbers are float32 unless told otherwise,
 * since in TypeScript 1 and 1.0 are the same.
 */

const int32 = { dtype: 'int32' } as const;

/** No axis: a number. */
export const scalar = tensor(1, int32); // []
/** One axis. */
export const vector = tensor([1, 2, 3], int32); // [3]
/** Two axes: rows and columns. */
export const matrix = tensor(
  [
    [1, 2, 3],
    [4, 5, 6],
  ],
  int32,
); // [2, 3]

/** Three axes: matrices one behind the other. A new one at each call, since it is written to. */
export function cube(): Tensor {
  return tensor(
    [
      [
        [1, 2],
        [3, 4],
      ],
      [
        [5, 6],
        [7, 8],
      ],
    ],
    int32,
  ); // [2, 2, 2]
}

/**
 * A copy has memory of its own; a view is another way of reading the same memory. So a change to the original
 * shows in the view only. `tensor`, `clone` and all arithmetic make copies; `select`, `slice`, `transpose`, `view`
 * and the like make views.
 */
export function copyAndView(): { copy: Tensor; view: Tensor } {
  const original = cube();
  const copy = original.clone();
  const view = original.view(2, 2, 2);
  original.index(0, 0, 0).copyInPlace(tensor(999, int32)); // the first number, itself a view
  return { copy, view };
}

/** A.2.1: a copy keeps its numbers when the original changes, a view does not. */
export function showCopyAndView(nb: Notebook): void {
  const { copy, view } = copyAndView();
  nb.print(11, copy);
  nb.print(12, view);
}

/** A.2.2 */
export function showTypes(nb: Notebook): void {
  nb.print(14, `torch.${vector.dtype}`);
  nb.print(15, `torch.${tensor([1, 2, 3]).dtype}`);
  nb.print(16, `torch.${vector.float().dtype}`);
}

/** A.2.3 */
export function showOperations(nb: Notebook): void {
  nb.print(18, matrix); // [2, 3]
  nb.print(19, torchSize(matrix.shape));
  nb.print(20, matrix.reshape(3, 2));
  nb.print(21, matrix.view(3, 2));
  nb.print(22, matrix.T); // [3, 2]
  nb.print(23, matrix.matmul(matrix.T)); // [2, 3] · [3, 2] → [2, 2]
  nb.print(24, matrix.matmul(matrix.T)); // @ in the notebook: TypeScript has no operators for tensors
}
