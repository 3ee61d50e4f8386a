import { blockDotsTask, roundRowsTask } from './blockDots';
import { embeddingBlocksTask, packBlocksTask } from './blocks';
import { copyTask } from './copy';
import { binaryTask, castTask, unaryTask, whereTask } from './elementwise';
import { gemmBatchTask, gemmTask } from './gemm';
import { gemvDotsTask, gemvRowsTask } from './gemv';
import { layerNormBackwardTask, layerNormParametersTask, layerNormTask } from './layerNorm';
import { packTask } from './pack';
import { Job } from './protocol';
import { reduceColumnsTask, reduceRowsTask } from './reduce';
import { rmsNormBackwardTask, rmsNormParametersTask, rmsNormTask } from './rmsNorm';
import { rotaryTask } from './rotary';
import {
  crossEntropyBackwardTask, logSoftmaxBackwardTask, logSoftmaxTask, logSumExpTask, softmaxBackwardTask, softmaxTask,
} from './softmax';
import { adamWTask, embeddingBackwardTask, embeddingTask } from './training';

/** The jobs of ../protocol.ts. */
export function runTask(kind: i32, task: i32): void {
  switch (kind) {
    case Job.pack: return packTask(task);
    case Job.gemm: return gemmTask(task);
    case Job.gemmBatch: return gemmBatchTask(task);
    case Job.unary: return unaryTask(task);
    case Job.binary: return binaryTask(task);
    case Job.where: return whereTask(task);
    case Job.cast: return castTask(task);
    case Job.copy: return copyTask(task);
    case Job.softmax: return softmaxTask(task);
    case Job.softmaxBackward: return softmaxBackwardTask(task);
    case Job.logSoftmax: return logSoftmaxTask(task);
    case Job.logSoftmaxBackward: return logSoftmaxBackwardTask(task);
    case Job.logSumExp: return logSumExpTask(task);
    case Job.crossEntropyBackward: return crossEntropyBackwardTask(task);
    case Job.layerNorm: return layerNormTask(task);
    case Job.layerNormBackward: return layerNormBackwardTask(task);
    case Job.layerNormParameters: return layerNormParametersTask(task);
    case Job.rmsNorm: return rmsNormTask(task);
    case Job.rmsNormBackward: return rmsNormBackwardTask(task);
    case Job.rmsNormParameters: return rmsNormParametersTask(task);
    case Job.rotary: return rotaryTask(task);
    case Job.reduceRows: return reduceRowsTask(task);
    case Job.reduceColumns: return reduceColumnsTask(task);
    case Job.embedding: return embeddingTask(task);
    case Job.embeddingBackward: return embeddingBackwardTask(task);
    case Job.adamW: return adamWTask(task);
    case Job.gemvDots: return gemvDotsTask(task);
    case Job.gemvRows: return gemvRowsTask(task);
    case Job.roundRows: return roundRowsTask();
    case Job.blockDots: return blockDotsTask(task);
    case Job.packBlocks: return packBlocksTask(task);
    case Job.embeddingBlocks: return embeddingBlocksTask(task);
  }
}
