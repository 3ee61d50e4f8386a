import {
  allclose,
  arange,
  cat,
  einsum,
  equal,
  eye,
  F,
  full,
  linspace,
  ones,
  stack,
  Tensor,
  tensor,
  where,
  zeros,
} from '../../lib/index.ts';
import { Ellipsis, Slice, Tuple } from './opinfoValues.ts';

/** How PyTorch's calls in opinfo.json are written here: from its input and arguments to our method or function. */

// biome-ignore lint/suspicious/noExplicitAny: arguments of every kind, as PyTorch's samples have them
type Any = any;
type Call = (x: Any, args: Any[], kwargs: Record<string, Any>) => Tensor | Tensor[];

/** A case that this library does not take: said with the reason, and not counted as wrong. */
export class NotOurs extends Error {}

function notOurs(reason: string): never {
  throw new NotOurs(reason);
}

/** The arguments in PyTorch's order, by position or by name. What is not listed has to be refused here. */
function named(args: Any[], kwargs: Record<string, Any>, ...names: string[]): Any[] {
  for (const name of Object.keys(kwargs)) {
    const isDefault = kwargs[name] === null || kwargs[name] === false || kwargs[name] === 'cpu';
    if (!names.includes(name) && !isDefault) notOurs(`no argument ${name}`);
  }
  if (args.length > names.length) notOurs('more arguments');
  return names.map((name, i) => (i < args.length ? args[i] : kwargs[name]) ?? undefined);
}

const pair = ({ values, indices }: { values: Tensor; indices: Tensor }) => [values, indices];
const asTensor = (x: Any): Tensor => (x instanceof Tensor ? x : tensor(x));

const unary =
  (name: string): Call =>
  (x, args, kwargs) => {
    named(args, kwargs);
    return x[name]();
  };

const binary =
  (name: string): Call =>
  (x, args, kwargs) => {
    const [other] = named(args, kwargs, 'other');
    const isBool = x.dtype === 'bool' && (other.dtype === 'bool' || typeof other === 'boolean');
    if (isBool && (name === 'add' || name === 'mul')) notOurs('bools are added and multiplied as int32');
    if (typeof x === 'number') notOurs('a number on the left');
    const isExtreme = name === 'maximum' || name === 'minimum';
    if (isExtreme && typeof other === 'number') notOurs('a number as the other one');
    return asTensor(x)[name as 'add'](typeof other === 'boolean' ? tensor(other) : other);
  };

/** `x.op(dim, keepdim)`. */
const reduction =
  (name: string): Call =>
  (x, args, kwargs) => {
    const [dim, keepdim, dtype] = named(args, kwargs, 'dim', 'keepdim', 'dtype');
    if (dtype !== undefined) notOurs('dtype');
    return x[name](...(keepdim === undefined ? (dim === undefined ? [] : [dim]) : [dim, keepdim]));
  };

const spread =
  (name: string): Call =>
  (x, args, kwargs) => {
    const [dim, unbiased, correction, keepdim] = named(
      args,
      kwargs,
      'dim',
      'unbiased',
      'correction',
      'keepdim',
    );
    const options = { unbiased, correction, keepdim };
    for (const key of Object.keys(options))
      if (options[key as 'keepdim'] === undefined) delete options[key as 'keepdim'];
    if (typeof dim === 'boolean') return x[name](undefined, { unbiased: dim });
    return x[name](dim, options);
  };

const extreme =
  (name: 'max' | 'min'): Call =>
  (x, args, kwargs) => {
    const [dim, keepdim] = named(args, kwargs, 'dim', 'keepdim');
    if (dim === undefined) return x[name]();
    return pair(keepdim === undefined ? x[name](dim) : x[name](dim, keepdim));
  };

/** Methods that take just what PyTorch's take. */
const same =
  (name: string, ...names: string[]): Call =>
  (x, args, kwargs) => {
    const given = named(args, kwargs, ...names);
    while (given.length > 0 && given.at(-1) === undefined) given.pop();
    return x[name](...given);
  };

const shaped =
  (name: string, first: string): Call =>
  (x, args, kwargs) => {
    if (args.length > 1) return x[name](...args);
    const [shape] = named(args, kwargs, first);
    return x[name](shape);
  };

const softmax =
  (name: 'softmax' | 'logSoftmax'): Call =>
  (x, args, kwargs) => {
    const [dim, dtype] = named(args, kwargs, 'dim', 'dtype');
    if (dtype !== undefined && dtype !== 'float32') notOurs('dtype');
    return x[name](dim);
  };

const sorted =
  (name: 'sort' | 'argsort'): Call =>
  (x, args, kwargs) => {
    const [dim = -1, descending = false, stable = false] = named(args, kwargs, 'dim', 'descending', 'stable');
    if (!stable && name === 'argsort' && x.dtype === 'bool') notOurs('an order of equal elements');
    const out = x[name](dim, descending);
    if (name === 'argsort') return out;
    // Which of equal elements comes first is open, unless the order is to be stable.
    return stable || x.dtype !== 'bool' ? pair(out) : [out.values];
  };

function subscripts(list: Any[]): Any[] {
  return list.map((item) => {
    if (item instanceof Slice)
      return item.start === null && item.stop === null && item.step === null ? null : item.range;
    if (item instanceof Ellipsis) return '...';
    if (item === null) return 'newaxis';
    if (typeof item === 'boolean') return tensor(item);
    return Array.isArray(item)
      ? tensor(item, { dtype: typeof item[0] === 'boolean' ? 'bool' : 'int32' })
      : item;
  });
}

const made =
  (make: Any): Call =>
  (shape, args, kwargs) => {
    const [dtype] = named(args, kwargs, 'dtype');
    return make(shape, dtype === undefined ? {} : { dtype });
  };

export const CALLS: Record<string, Call> = {
  ...Object.fromEntries(
    [
      'neg',
      'abs',
      'exp',
      'log',
      'sqrt',
      'rsqrt',
      'reciprocal',
      'square',
      'tanh',
      'sigmoid',
      'sin',
      'cos',
      ...['floor', 'ceil', 'round', 'trunc', 'sign', 'erf', 'expm1', 'log1p', 'isnan', 'isinf', 'isfinite'],
      'nonzero',
    ].map((name) => [name, unary(name)]),
  ),
  logical_not: (x) => x.logicalNot(),
  ...Object.fromEntries(
    ['And', 'Or', 'Xor'].map((name) => [`logical_${name.toLowerCase()}`, binary(`logical${name}`)]),
  ),
  'nn.functional.relu': (x) => F.relu(x),
  'nn.functional.gelu': (x, args, kwargs) =>
    F.gelu(x, { approximate: named(args, kwargs, 'approximate')[0] ?? 'none' }),
  ...Object.fromEntries(
    ['add', 'sub', 'mul', 'pow', 'maximum', 'minimum', 'eq', 'ne', 'lt', 'le', 'gt', 'ge'].map((name) => [
      name,
      binary(name),
    ]),
  ),
  'div.no_rounding_mode': binary('div'),
  true_divide: binary('div'),
  'max.binary': binary('maximum'),
  'min.binary': binary('minimum'),
  clamp: same('clamp', 'min', 'max'),
  // PyTorch's sample of an error is a number, which clamp takes.
  clamp_min: (x, [min]) =>
    x instanceof Tensor && min instanceof Tensor ? x.clamp(min) : notOurs('a number'),
  clamp_max: (x, [max]) =>
    x instanceof Tensor && max instanceof Tensor ? x.clamp(null, max) : notOurs('a number'),
  masked_fill: (x, args, kwargs) => {
    const [mask, value] = named(args, kwargs, 'mask', 'value');
    return x.maskedFill(mask, typeof value === 'boolean' ? Number(value) : value);
  },
  where: (x, args, kwargs) => {
    const [condition, other] = named(args, kwargs, 'condition', 'other');
    if (!(x instanceof Tensor || other instanceof Tensor)) notOurs('numbers whose type is not seen');
    return where(condition, x, other);
  },
  ...Object.fromEntries(
    ['sum', 'mean', 'amax', 'amin', 'argmax', 'argmin', 'any', 'all'].map((name) => [name, reduction(name)]),
  ),
  ...{ var: spread('var'), 'var.unbiased': spread('var'), std: spread('std'), 'std.unbiased': spread('std') },
  ...{ 'max.reduction_with_dim': extreme('max'), 'max.reduction_no_dim': extreme('max') },
  ...{ 'min.reduction_with_dim': extreme('min'), 'min.reduction_no_dim': extreme('min') },
  ...{ softmax: softmax('softmax'), log_softmax: softmax('logSoftmax') },
  ...{ contiguous: same('contiguous'), clone: same('clone'), t: same('t'), T: (x) => x.T },
  ...{
    reshape: shaped('reshape', 'shape'),
    view: shaped('view', 'size'),
    permute: shaped('permute', 'dims'),
  },
  expand: shaped('expand', 'size'),
  transpose: same('transpose', 'dim0', 'dim1'),
  narrow: same('narrow', 'dim', 'start', 'length'),
  select: same('select', 'dim', 'index'),
  slice: same('slice', 'dim', 'start', 'end', 'step'),
  unsqueeze: same('unsqueeze', 'dim'),
  squeeze: same('squeeze', 'dim'),
  'squeeze.multiple': same('squeeze', 'dim'),
  flatten: same('flatten', 'start_dim', 'end_dim'),
  split: same('split', 'split_size', 'dim'),
  'split.list_args': same('split', 'split_size', 'dim'),
  split_with_sizes: same('split', 'split_sizes', 'dim'),
  index_select: same('indexSelect', 'dim', 'index'),
  masked_select: same('maskedSelect', 'mask'),
  gather: same('gather', 'dim', 'index'),
  topk: (x, args, kwargs) => {
    const [k, dim = -1, largest = true] = named(args, kwargs, 'k', 'dim', 'largest', 'sorted');
    // Which of equal elements comes first is PyTorch's own business: only the values are compared.
    return [x.topk(k, dim, largest).values];
  },
  ...{ sort: sorted('sort'), argsort: sorted('argsort') },
  ...{ tril: same('tril', 'diagonal'), triu: same('triu', 'diagonal') },
  __getitem__: (x, [subscript]) =>
    x.index(...subscripts(subscript instanceof Tuple ? subscript.items : [subscript])),
  cat: (list, args, kwargs) => {
    const [dim = 0, dtype] = named(args, kwargs, 'dim', 'dtype');
    if (dtype !== undefined) notOurs('dtype');
    return cat(list, dim);
  },
  stack: (list, args, kwargs) => stack(list, named(args, kwargs, 'dim')[0] ?? 0),
  ...Object.fromEntries(
    ['matmul', 'mm', 'bmm', 'mv', 'dot'].map((name) => [
      name,
      ((x, args, kwargs) => x.matmul(named(args, kwargs, 'other')[0] ?? kwargs.mat2)) as Call,
    ]),
  ),
  'nn.functional.linear': (x, args, kwargs) => {
    const [weight, bias] = named(args, kwargs, 'weight', 'bias');
    return F.linear(x, weight, bias);
  },
  'nn.functional.embedding': (weight, args, kwargs) => F.embedding(weight, named(args, kwargs, 'input')[0]),
  'nn.functional.layer_norm': (x, args, kwargs) => {
    const [shape, weight, bias, eps] = named(args, kwargs, 'normalized_shape', 'weight', 'bias', 'eps');
    if (shape.length !== 1) notOurs('a norm over several axes');
    return F.layerNorm(x, weight ?? ones(shape), bias ?? zeros(shape), eps);
  },
  'nn.functional.cross_entropy': (x, args, kwargs) => {
    const [target, ...rest] = named(
      args,
      kwargs,
      ...['target', 'weight', 'size_average', 'ignore_index', 'reduce', 'reduction', 'label_smoothing'],
    );
    const [weight, , ignoreIndex, , reduction, labelSmoothing] = rest;
    return F.crossEntropy(x, target, { weight, ignoreIndex, reduction, labelSmoothing });
  },
  ...{ zeros: made(zeros), ones: made(ones) },
  full: (shape, args, kwargs) => {
    const [value, dtype] = named(args, kwargs, 'fill_value', 'dtype');
    if (dtype === undefined && typeof value !== 'number') notOurs('a type from the value');
    return full(shape, Number(value), { dtype: dtype ?? 'float32' });
  },
  arange: (start, args, kwargs) => {
    const [end, step, dtype] = named(args, kwargs, 'end', 'step', 'dtype');
    return arange(start, end, step, dtype === undefined ? {} : { dtype });
  },
  eye: (n, args, kwargs) => {
    const [m, dtype] = named(args, kwargs, 'm', 'dtype');
    return eye(n, m, dtype === undefined ? {} : { dtype });
  },
  zeros_like: same('zerosLike'),
  ...{ bool: same('bool'), int: same('int'), float: same('float') },
  equal: (x, [other]) => tensor(equal(x, other)),
  allclose: (x, args, kwargs) => {
    const [other, rtol, atol, equalNan] = named(args, kwargs, 'other', 'rtol', 'atol', 'equal_nan');
    return tensor(allclose(x, other, given({ rtol, atol, equalNan })));
  },
  outer: (x, args, kwargs) => {
    const [other] = named(args, kwargs, 'vec2');
    if (x.dtype === 'bool' && other.dtype === 'bool') notOurs('bools are multiplied as int32');
    return x.outer(other);
  },
  einsum: (list, [equation]) => einsum(equation, ...list),
  norm: norm('p', 'dim', 'keepdim', 'dtype'),
  'norm.inf': norm('p', 'dim', 'keepdim', 'dtype'),
  'linalg.vector_norm': norm('ord', 'dim', 'keepdim', 'dtype'),
  cumsum: (x, args, kwargs) => {
    const [dim, dtype] = named(args, kwargs, 'dim', 'dtype');
    if (dtype !== undefined) notOurs('dtype');
    return x.cumsum(dim);
  },
  chunk: same('chunk', 'chunks', 'dim'),
  unbind: same('unbind', 'dim'),
  diagonal: (x, args, kwargs) => {
    const [offset = 0, dim1 = 0, dim2 = 1] = named(args, kwargs, 'offset', 'dim1', 'dim2');
    if (offset !== 0) notOurs('a diagonal beside the main one');
    return x.diagonal(dim1, dim2);
  },
  repeat: shaped('repeat', 'repeats'),
  repeat_interleave: (x, args, kwargs) => {
    const [repeats, dim] = named(args, kwargs, 'repeats', 'dim', 'output_size');
    return x.repeatInterleave(repeats, dim);
  },
  scatter: (x, args, kwargs) => {
    const [dim, index, src, reduce] = named(args, kwargs, 'dim', 'index', 'src', 'reduce');
    if (reduce !== undefined) notOurs('reduce');
    return x.scatter(dim, index, src ?? kwargs.value);
  },
  scatter_add: unlessBool(same('scatterAdd', 'dim', 'index', 'src')),
  index_add: unlessBool(same('indexAdd', 'dim', 'index', 'source', 'alpha')),
  index_put: (x, args, kwargs) => {
    const [indices, values, accumulate = false] = named(args, kwargs, 'indices', 'values', 'accumulate');
    if (x.requiresGrad || values.requiresGrad) notOurs('a gradient of what is written in place');
    return x.clone().indexPutInPlace(indices, values, { accumulate });
  },
  bincount: same('bincount', 'weights', 'minlength'),
  linspace: (start, args, kwargs) => {
    const [end, steps, dtype] = named(args, kwargs, 'end', 'steps', 'dtype');
    return linspace(start, end, steps, dtype === undefined ? {} : { dtype });
  },
  'nn.functional.silu': (x, args, kwargs) => {
    named(args, kwargs);
    return F.silu(x);
  },
  'nn.functional.logsigmoid': (x, args, kwargs) => {
    named(args, kwargs);
    return F.logSigmoid(x);
  },
  'nn.functional.one_hot': (x, args, kwargs) => F.oneHot(x, named(args, kwargs, 'num_classes')[0]),
  'nn.functional.rms_norm': (x, args, kwargs) => {
    const [shape, weight, eps] = named(args, kwargs, 'normalized_shape', 'weight', 'eps');
    if (shape.length !== 1) notOurs('a norm over several axes');
    return F.rmsNorm(x, weight, eps);
  },
  'nn.functional.mse_loss': (x, args, kwargs) => {
    const [target, , , reduction, weight] = named(
      args,
      kwargs,
      ...['target', 'size_average', 'reduce', 'reduction', 'weight'],
    );
    if (weight !== undefined) notOurs('weight');
    return F.mseLoss(x, target, given({ reduction }));
  },
  'nn.functional.binary_cross_entropy_with_logits': (x, args, kwargs) => {
    const [target, weight, , , reduction, posWeight] = named(
      args,
      kwargs,
      ...['target', 'weight', 'size_average', 'reduce', 'reduction', 'pos_weight'],
    );
    return F.binaryCrossEntropyWithLogits(x, target, given({ weight, reduction, posWeight }));
  },
  'nn.functional.scaled_dot_product_attention': (query, args, kwargs) => {
    const names = ['key', 'value', 'attn_mask', 'dropout_p', 'is_causal', 'scale', 'enable_gqa'];
    const [key, value, attnMask, dropout = 0, isCausal, scale, enableGqa] = named(args, kwargs, ...names);
    if (dropout !== 0) notOurs('dropout');
    return F.scaledDotProductAttention(query, key, value, given({ attnMask, isCausal, scale, enableGqa }));
  },
};

function unlessBool(call: Call): Call {
  return (x, args, kwargs) => (x.dtype === 'bool' ? notOurs('sums of bools') : call(x, args, kwargs));
}

/** The options that are there. */
function given(options: Record<string, Any>): Record<string, Any> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

function norm(...names: string[]): Call {
  return (x, args, kwargs) => {
    const [p = 2, dim, keepdim = false, dtype] = named(args, kwargs, ...names);
    if (dtype !== undefined) notOurs('dtype');
    if (typeof p === 'string') notOurs('a norm by name');
    return x.norm(p, dim, keepdim);
  };
}
