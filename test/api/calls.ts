import * as lib from '../../lib/index.ts';

const { F, nn, ones, optim, tensor, zeros } = lib;

/**
 * One good call of every function, class and method that lib/index.ts exports: the arguments are made anew for each
 * call. mistakes.test.ts puts wrong ones in their places.
 */
export interface Call {
  readonly name: string;
  // biome-ignore lint/suspicious/noExplicitAny: to be called with wrong arguments on purpose
  readonly run: (...args: any[]) => unknown;
  readonly args: () => unknown[];
}

const ids = (...list: number[]) => tensor(list, { dtype: 'int32' });
const mask = () => tensor([true, false, true]);
export const nets = () => new nn.Sequential(linear(), new nn.ReLU());
const linear = () => nn.Linear.of(x(3, 3), x(3));
export const parameters = () => [new nn.Parameter(x(2, 3)), new nn.Parameter(x(3))];

/** Float32 numbers of both signs, without ties. */
export function x(...shape: number[]): lib.Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  return tensor(Array.from({ length: size }, (_, i) => ((7 * i) % 23) / 4 - 1.1)).reshape(shape);
}

export type Row = readonly [run: Call['run'], args: () => unknown[]];

/** Of a class: what an object of it answers. */
// biome-ignore lint/suspicious/noExplicitAny: constructors of all kinds
const made = (Class: any, use: (made: any) => unknown): Call['run'] => {
  return (...args) => {
    lib.manualSeed(1);
    return use(new Class(...args));
  };
};
const seeded = (run: Call['run']): Call['run'] => {
  return (...args) => {
    lib.manualSeed(1);
    return run(...args);
  };
};

const weights = (module: lib.nn.Module) => Object.values(module.stateDict());

const FUNCTIONS: Record<string, Row> = {
  tensor: [lib.tensor, () => [[1, 2, 3], { dtype: 'int32' }]],
  zeros: [lib.zeros, () => [2, 3, { dtype: 'int32' }]],
  ones: [lib.ones, () => [[2, 3]]],
  full: [lib.full, () => [[2, 3], 1.5, { dtype: 'float32' }]],
  arange: [lib.arange, () => [1, 7, 2, { dtype: 'float32' }]],
  eye: [lib.eye, () => [2, 3, { dtype: 'float32' }]],
  linspace: [lib.linspace, () => [0, 1, 5, { dtype: 'float32' }]],
  rand: [seeded(lib.rand), () => [2, 3]],
  randn: [seeded(lib.randn), () => [[2, 3], { requiresGrad: true }]],
  randint: [seeded(lib.randint), () => [0, 10, [2, 3]]],
  randperm: [seeded(lib.randperm), () => [5]],
  multinomial: [seeded(lib.multinomial), () => [tensor([1, 2, 3]), 2, false]],
  manualSeed: [(...args: [number]) => lib.manualSeed(...args).uniform(3), () => [123]],
  where: [lib.where, () => [mask(), x(3), 0]],
  cat: [lib.cat, () => [[x(2, 3), x(1, 3)], 0]],
  stack: [lib.stack, () => [[x(2, 3), x(2, 3)], 1]],
  einsum: [lib.einsum, () => ['ij,jk->ik', x(2, 3), x(3, 2)]],
  outer: [lib.outer, () => [x(2), x(3)]],
  bincount: [lib.bincount, () => [ids(1, 2, 2), x(3), 4]],
  equal: [lib.equal, () => [x(2, 3), x(2, 3)]],
  allclose: [lib.allclose, () => [x(2, 3), x(2, 3), { rtol: 1e-3 }]],
  storageFrom: [lib.storageFrom, () => [[1, 2], 'float32']],
  noGrad: [lib.noGrad, () => [() => 1]],
  tidy: [lib.tidy, () => [() => 1]],
  isGradEnabled: [lib.isGradEnabled, () => []],
  setPrintOptions: [lib.setPrintOptions, () => [{ sciMode: null }]],
  useBackend: [lib.useBackend, () => ['js', { threads: 1 }]],

  'F.relu': [F.relu, () => [x(2, 3)]],
  'F.gelu': [F.gelu, () => [x(2, 3), { approximate: 'none' }]],
  'F.silu': [F.silu, () => [x(2, 3)]],
  'F.logSigmoid': [F.logSigmoid, () => [x(2, 3)]],
  'F.softmax': [F.softmax, () => [x(2, 3), -1]],
  'F.logSoftmax': [F.logSoftmax, () => [x(2, 3), -1]],
  'F.causalSoftmax': [F.causalSoftmax, () => [x(3, 3), 0.5]],
  'F.dropout': [seeded(F.dropout), () => [x(2, 3), 0.5, true]],
  'F.embedding': [F.embedding, () => [x(4, 3), ids(0, 3)]],
  'F.linear': [F.linear, () => [x(2, 3), x(4, 3), x(4)]],
  'F.layerNorm': [F.layerNorm, () => [x(2, 3), ones(3), zeros(3), 1e-5]],
  'F.rotaryEmbedding': [F.rotaryEmbedding, () => [x(2, 4), ones(2, 2), zeros(2, 2)]],
  'F.rmsNorm': [F.rmsNorm, () => [x(2, 3), ones(3), 1e-5]],
  'F.oneHot': [F.oneHot, () => [ids(0, 2), 3]],
  'F.crossEntropy': [F.crossEntropy, () => [x(2, 3), ids(0, 2), { ignoreIndex: 1, reduction: 'sum' }]],
  'F.linearCrossEntropy': [F.linearCrossEntropy, () => [x(2, 3), x(4, 3), ids(0, 3), { ignoreIndex: 1 }]],
  'F.mseLoss': [F.mseLoss, () => [x(2, 3), ones(2, 3), { reduction: 'sum' }]],
  'F.binaryCrossEntropyWithLogits': [
    F.binaryCrossEntropyWithLogits,
    () => [x(2, 3), ones(2, 3), { reduction: 'mean', weight: x(3), posWeight: x(3) }],
  ],
  'F.scaledDotProductAttention': [
    F.scaledDotProductAttention,
    () => [x(2, 3), x(4, 3), x(4, 2), { isCausal: true, offset: 2, scale: 0.5, enableGqa: false }],
  ],

  'nn.Linear': [made(nn.Linear, (layer) => layer.forward(x(2, 3))), () => [3, 2, { bias: true }]],
  'nn.Linear.of': [(...args: [lib.Tensor]) => nn.Linear.of(...args).forward(x(2, 3)), () => [x(2, 3), x(2)]],
  'nn.Embedding': [made(nn.Embedding, (layer) => layer.forward(ids(0, 1))), () => [4, 3]],
  'nn.Dropout': [made(nn.Dropout, (layer) => layer.forward(x(2, 3))), () => [0.5]],
  'nn.LayerNorm': [made(nn.LayerNorm, (layer) => layer.forward(x(2, 3))), () => [3, { eps: 1e-5 }]],
  'nn.RMSNorm': [made(nn.RMSNorm, (layer) => layer.forward(x(2, 3))), () => [3, { eps: 1e-5 }]],
  'nn.GELU': [made(nn.GELU, (layer) => layer.forward(x(2, 3))), () => [{ approximate: 'tanh' }]],
  'nn.SiLU': [made(nn.SiLU, (layer) => layer.forward(x(2, 3))), () => []],
  'nn.ReLU': [made(nn.ReLU, (layer) => layer.forward(x(2, 3))), () => []],
  'nn.ModuleList': [made(nn.ModuleList, (list) => list.at(-1).forward(x(2, 3))), () => [[linear()]]],
  'nn.Sequential': [made(nn.Sequential, (net) => net.forward(x(2, 3))), () => [linear(), new nn.ReLU()]],
  'nn.Parameter': [made(nn.Parameter, (parameter) => parameter), () => [x(2, 3), true]],
  'nn.Buffer': [made(nn.Buffer, (buffer) => buffer), () => [x(2, 3), true]],
  'nn.LoRALayer': [
    made(nn.LoRALayer, (layer) => layer.forward(x(2, 3))),
    () => [3, 2, 2, 4, { dropout: 0.1 }],
  ],
  'nn.LinearWithLoRA': [
    made(nn.LinearWithLoRA, (layer) => layer.forward(x(2, 3))),
    () => [linear(), 2, 4, { init: 'peft' }, 'mine'],
  ],
  'nn.LinearWithLoRA.fromLinear': [
    seeded(nn.LinearWithLoRA.fromLinear),
    () => [linear(), { rank: 2, alpha: 4 }],
  ],
  'nn.replaceLinearWithLoRA': [
    seeded((model, ...rest) => {
      nn.replaceLinearWithLoRA(model, ...(rest as [lib.nn.LoRAOptions]));
      return weights(model);
    }),
    () => [nets(), { rank: 2, alpha: 4, targets: ['0'], name: 'mine', scaling: 'rslora' }],
  ],
  'nn.setAdapter': [nn.setAdapter, () => [wrapped(), null]],
  'nn.removeAdapter': [nn.removeAdapter, () => [wrapped(), 'default']],
  'nn.mergeLoRA': [nn.mergeLoRA, () => [wrapped()]],
  'nn.unmergeLoRA': [nn.unmergeLoRA, () => [wrapped()]],
  'nn.init.uniform': [seeded(nn.init.uniform), () => [zeros(2, 3), -1, 1]],
  'nn.init.normal': [seeded(nn.init.normal), () => [zeros(2, 3), 0, 1]],
  'nn.init.kaimingUniform': [seeded(nn.init.kaimingUniform), () => [zeros(2, 3), 1]],
  'nn.init.skip': [nn.init.skip, () => [() => 1]],

  'optim.SGD': [made(optim.SGD, stepped), () => [parameters(), { lr: 0.1, momentum: 0.9, weightDecay: 0.1 }]],
  'optim.AdamW': [
    made(optim.AdamW, stepped),
    () => [parameters(), { lr: 0.1, betas: [0.9, 0.99], eps: 1e-8, weightDecay: 0.1 }],
  ],
  'optim.clipGradNorm': [optim.clipGradNorm, () => [withGradients(), 1, { errorIfNonfinite: false }]],

  DataLoader: [
    made(lib.DataLoader, (loader) => [...loader]),
    () => [numbers(), { batchSize: 2, shuffle: true, dropLast: false }],
  ],
};

function wrapped(): lib.nn.Module {
  const net = nets();
  nn.replaceLinearWithLoRA(net, { rank: 1, alpha: 1 });
  return net;
}

function numbers() {
  return { length: 5, get: (position: number) => position };
}

function withGradients(): lib.nn.Parameter[] {
  const list = parameters();
  for (const parameter of list) parameter.grad = x(...parameter.shape);
  return list;
}

function stepped(optimiser: lib.optim.Optimizer): unknown {
  for (const parameter of optimiser.params) parameter.grad = x(...parameter.shape);
  optimiser.step();
  return optimiser.params;
}

/** Methods of a tensor: the arguments, and what they are called on unless on float32 [2, 3]. */
const METHODS: Partial<Record<keyof lib.Tensor, [args: () => unknown[], on?: () => lib.Tensor]>> = {
  item: [() => [], () => tensor([1])],
  toFlatArray: [() => []],
  toArray: [() => []],
  toString: [() => []],
  backward: [() => [ones(2, 3), { retainGraph: true }], () => x(2, 3).requiresGrad_().mul(2)],
  detach: [() => []],
  requiresGrad_: [() => [true]],
  addInPlace: [() => [ones(3)]],
  copyInPlace: [() => [ones(3)]],
  addProductInPlace: [() => [x(2, 4), x(4, 3)]],
  zerosLike: [() => []],
  clone: [() => []],
  to: [() => ['int32']],
  ...Object.fromEntries(
    [
      ...[
        'float',
        'int',
        'bool',
        'neg',
        'abs',
        'exp',
        'log',
        'sqrt',
        'rsqrt',
        'reciprocal',
        'square',
        'tanh',
      ],
      ...[
        'sigmoid',
        'relu',
        'sin',
        'cos',
        'erf',
        'log1p',
        'expm1',
        'floor',
        'ceil',
        'round',
        'trunc',
        'sign',
      ],
      ...['isnan', 'isinf', 'isfinite', 'logicalNot', 'nonzero', 'contiguous', 't'],
    ].map((name) => [name, [() => []]]),
  ),
  ...Object.fromEntries(
    [
      ...['add', 'sub', 'mul', 'div', 'pow', 'maximum', 'minimum', 'eq', 'ne', 'lt', 'le', 'gt', 'ge'],
      ...['logicalAnd', 'logicalOr', 'logicalXor'],
    ].map((name) => [name, [() => [ones(3)]]]),
  ),
  clamp: [() => [-0.5, 0.5]],
  maskedFill: [() => [mask(), 7]],
  where: [() => [mask(), 0]],
  any: [() => [0, true]],
  all: [() => [[0, 1], false]],
  equal: [() => [x(2, 3)]],
  allclose: [() => [x(2, 3), { atol: 1 }]],
  matmul: [() => [x(3, 2)]],
  outer: [() => [x(2)], () => x(3)],
  sum: [() => [0, true]],
  mean: [() => [[0, 1], true]],
  var: [() => [0, { unbiased: false, keepdim: true }]],
  std: [() => [0, { correction: 0 }]],
  max: [() => [0, true]],
  min: [() => [1, false]],
  amax: [() => [[0, 1], true]],
  amin: [() => [0, false]],
  argmax: [() => [0, true]],
  argmin: [() => [1, false]],
  norm: [() => [2, 1, true]],
  cumsum: [() => [1]],
  softmax: [() => [1]],
  logSoftmax: [() => [1]],
  reshape: [() => [3, 2]],
  view: [() => [[6]]],
  permute: [() => [1, 0]],
  transpose: [() => [0, 1]],
  expand: [() => [4, 2, 3]],
  slice: [() => [1, 0, 2, 1]],
  narrow: [() => [1, 0, 2]],
  select: [() => [1, 0]],
  unsqueeze: [() => [1]],
  squeeze: [() => [0], () => x(1, 3)],
  flatten: [() => [0, 1]],
  split: [() => [[1, 2], 1]],
  chunk: [() => [2, 1]],
  unbind: [() => [1]],
  diagonal: [() => [0, 1]],
  repeat: [() => [2, 1]],
  repeatInterleave: [() => [2, 1]],
  indexSelect: [() => [1, [0, 2]]],
  maskedSelect: [() => [mask()]],
  gather: [() => [1, ids(0, 2).reshape(2, 1)]],
  scatter: [() => [1, ids(0, 2).reshape(2, 1), 5]],
  scatterAdd: [() => [1, ids(0, 2).reshape(2, 1), ones(2, 1)]],
  indexAdd: [() => [1, ids(0), ones(2, 1), 2]],
  bincount: [() => [ones(3), 4], () => ids(1, 0, 1)],
  topk: [() => [2, 1, { largest: true }]],
  sort: [() => [1, true]],
  argsort: [() => [1, true]],
  tril: [() => [1]],
  triu: [() => [-1]],
  multinomial: [() => [2, false], () => tensor([1, 2, 3])],
  index: [() => [0, [0, 2], '...', 'newaxis']],
  indexPutInPlace: [() => [[0], 5, { accumulate: true }]],
};

/** Every call. A method of a tensor is called as `x.name`. */
export const CALLS: readonly Call[] = [
  ...Object.entries(FUNCTIONS).map(([name, [run, args]]) => ({ name, run, args })),
  ...Object.entries(METHODS).map(([name, [args, on]]): Call => {
    const run: Call['run'] = (...given) => {
      lib.manualSeed(1);
      const receiver = on?.() ?? x(2, 3);
      // biome-ignore lint/suspicious/noExplicitAny: a method by name
      const answer = (receiver as any)[name](...given);
      return answer === undefined ? [receiver, receiver.grad] : answer;
    };
    return { name: `x.${name}`, run, args };
  }),
];
