import { copyTask } from './copy';
import { binaryTask, castTask, unaryTask, whereTask } from './elementwise';
import { gemmBatchTask, gemmTask } from './gemm';
import { gemvDotsTask, gemvRowsTask } from './gemv';
import { layerNormBackwardTask, layerNormParametersTask, layerNormTask } from './norm';
import { packTask } from './pack';
import { reduceColumnsTask, reduceRowsTask } from './reduce';
import {
  crossEntropyBackwardTask, logSoftmaxBackwardTask, logSoftmaxTask, logSumExpTask, softmaxBackwardTask, softmaxTask,
} from './softmax';
import { adamWTask, embeddingBackwardTask, embeddingTask } from './training';

/** The kernels by number: the same list as in ../engine.ts. */
export function runTask(kind: i32, task: i32): void {
  switch (kind) {
    case 0: return packTask(task);
    case 1: return gemmTask(task);
    case 2: return gemmBatchTask(task);
    case 3: return unaryTask(task);
    case 4: return binaryTask(task);
    case 5: return whereTask(task);
    case 6: return castTask(task);
    case 7: return copyTask(task);
    case 8: return softmaxTask(task);
    case 9: return softmaxBackwardTask(task);
    case 10: return logSoftmaxTask(task);
    case 11: return logSoftmaxBackwardTask(task);
    case 12: return logSumExpTask(task);
    case 13: return crossEntropyBackwardTask(task);
    case 14: return layerNormTask(task);
    case 15: return layerNormBackwardTask(task);
    case 16: return layerNormParametersTask(task);
    case 17: return reduceRowsTask(task);
    case 18: return reduceColumnsTask(task);
    case 19: return embeddingTask(task);
    case 20: return embeddingBackwardTask(task);
    case 21: return adamWTask(task);
    case 22: return gemvDotsTask(task);
    case 23: return gemvRowsTask(task);
  }
}
