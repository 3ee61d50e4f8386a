import { packTask } from './pack';
import { gemmBatchTask, gemmTask } from './gemm';
import { run, stop, work } from './pool';

export { run, stop, work };

/** The kernels by number: the same list as in ../engine.ts. */
export function runTask(kind: i32, task: i32): void {
  switch (kind) {
    case 0: return packTask(task);
    case 1: return gemmTask(task);
    case 2: return gemmBatchTask(task);
  }
}
