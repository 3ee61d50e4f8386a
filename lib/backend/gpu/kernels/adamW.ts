import type { GpuKernels } from './gpuKernels.ts';
import { kernelFunction, type Row, type Thread } from './kernelFunction.ts';
import { isWhole, rowMajorValue } from './views.ts';

/** One step of AdamW: first the two moving averages, then the parameter. */
const movingAverage = kernelFunction(
  'movingAverage',
  ['array', 'array', 'float', 'float'],
  function (this: Thread, average: Row, g: Row, keep: number, take: number) {
    return keep * average[this.thread.x] + take * g[this.thread.x];
  },
);

const movingSquare = kernelFunction(
  'movingSquare',
  ['array', 'array', 'float', 'float'],
  function (this: Thread, average: Row, g: Row, keep: number, take: number) {
    return keep * average[this.thread.x] + take * g[this.thread.x] * g[this.thread.x];
  },
);

const update = kernelFunction(
  'update',
  ['array', 'array', 'array', 'float', 'float', 'float', 'float'],
  function (
    this: Thread,
    parameter: Row,
    m: Row,
    v: Row,
    decay: number,
    stepSize: number,
    correction: number,
    eps: number,
  ) {
    const denominator = Math.sqrt(v[this.thread.x]) / correction + eps;
    return parameter[this.thread.x] * decay - (stepSize * m[this.thread.x]) / denominator;
  },
);

export const adamWKernels: Pick<GpuKernels, 'adamW'> = {
  adamW(device, parameter, gradient, m, v, { lr, beta1, beta2, eps, weightDecay, step }) {
    if (!device.wants(parameter, gradient) || !isWhole(parameter)) return undefined;
    const size = [m.length];
    const g = { value: rowMajorValue(device, gradient), size };
    const p = { value: device.valueOf(parameter.storage), size };
    const mean = { value: device.valueOf(m), size };
    const square = { value: device.valueOf(v), size };
    const newM = { value: device.launch(movingAverage, size, [mean, g, beta1, 1 - beta1]), size };
    const newV = { value: device.launch(movingSquare, size, [square, g, beta2, 1 - beta2]), size };
    const stepSize = lr / (1 - beta1 ** step);
    const correction = Math.sqrt(1 - beta2 ** step);
    const args = [p, newM, newV, 1 - lr * weightDecay, stepSize, correction, eps];
    return [device.launch(update, size, args), newM.value, newV.value];
  },
};
