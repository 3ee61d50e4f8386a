import type { Allocator, DType, Storage } from './storage.ts';

/** What a kernel reads: numbers in a storage, seen through a shape, strides and an offset (in elements). */
export interface Strided {
  readonly storage: Storage;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;
}

/** The operations by name. A backend says of each one that it has it or that it leaves it to the next. */
export const UNARY_OPS = [
  ...(['neg', 'abs', 'exp', 'log', 'sqrt', 'rsqrt', 'reciprocal', 'square', 'tanh', 'sigmoid'] as const),
  ...(['relu', 'gelu', 'silu', 'sin', 'cos', 'erf', 'log1p', 'expm1'] as const),
  ...(['floor', 'ceil', 'round', 'trunc', 'sign'] as const),
] as const;
export const ARITHMETIC_OPS = ['add', 'sub', 'mul', 'div', 'pow', 'maximum', 'minimum'] as const;
export const COMPARISON_OPS = ['eq', 'ne', 'lt', 'le', 'gt', 'ge'] as const;
export const REDUCE_OPS = ['sum', 'max', 'min'] as const;

export type UnaryOp = (typeof UNARY_OPS)[number];
export type ArithmeticOp = (typeof ARITHMETIC_OPS)[number];
export type ComparisonOp = (typeof COMPARISON_OPS)[number];
export type BinaryOp = ArithmeticOp | ComparisonOp;
export type ReduceOp = (typeof REDUCE_OPS)[number];

/** The settings of one AdamW step (Loshchilov & Hutter 2019, algorithm 2), as PyTorch names them. */
export interface AdamWStep {
  lr: number;
  beta1: number;
  beta2: number;
  eps: number;
  weightDecay: number;
  /** Counts from 1. */
  step: number;
}

/**
 * The kernels behind every tensor operation: the seam between the library and what does the work.
 *
 * Unless said otherwise a kernel returns a new storage, row-major in the shape that the caller computed; effects.ts says
 * of each what it returns and what it writes in place. A stride of 0 repeats an element: broadcasting.
 * A backend may have some of the kernels, and a kernel may answer `undefined` for a case that it leaves
 * to the next backend: see dispatch.ts. `js` has all of them and never declines.
 *
 * A kernel trusts its caller, an operation of lib/tensor, which checks once and says what is wrong:
 * - Shapes fit as they are described here, axes are not negative, indices are in range.
 * - Numbers are float32 unless said otherwise; operands of one operation have one type. A kernel that was given int32
 *   for float32 may take its bits for a float.
 * - A bool is 0 or 1. Whoever writes bools writes nothing else.
 * - No two elements of a target that is written in place lie in the same place (no stride of 0), and what else is read
 *   lies elsewhere, or element for element in the same place.
 *
 * It promises, on every backend (but a GPU treats NaN as its driver does):
 * - What is written in place gets a new `Storage.version`. Nothing else is written.
 * - NaN wins: the largest and the smallest of numbers with a NaN among them is NaN, and `argReduce` gives its place.
 * - Far from zero no more digits are lost than the numbers themselves have lost there.
 */
export interface Kernels {
  /** Row-major copy of a view. */
  contiguous(x: Strided): Storage;
  /** `target[…] = source[…]` in place; the shapes are equal (strides may be 0 in `source`), the types too. */
  copyInto(target: Strided, source: Strided): true;
  /** `target[…] += source[…]` in place, float32. */
  addInto(target: Strided, source: Strided): true;
  cast(x: Strided, dtype: DType): Storage;

  unary(op: UnaryOp, x: Strided): Storage;
  /** GELU's derivative (tanh form) times `g`; x and g have equal shapes. */
  geluBackward(x: Strided, g: Strided): Storage;
  /** SiLU's derivative times `g`; x and g have equal shapes. */
  siluBackward(x: Strided, g: Strided): Storage;
  /** Elementwise on two views already broadcast to the same shape. Arithmetic keeps their type, comparison gives bool. */
  binary(op: BinaryOp, a: Strided, b: Strided): Storage;
  /** `condition ? a : b`, all three already broadcast to the same shape. */
  where(condition: Strided, a: Strided, b: Strided): Storage;

  /** Reduces the given axes; the result has the operand's type and is row-major over the remaining axes. */
  reduce(op: ReduceOp, x: Strided, axes: readonly number[]): Storage;
  /** Index (int32) of the first largest or smallest element along one axis; of the first NaN, if there is one. */
  argReduce(op: 'max' | 'min', x: Strided, axis: number): Storage;

  /**
   * `a [..., m, k] · b [..., k, n] (+ bias [n])` for equal leading (batch) dimensions, strides 0 where
   * broadcast. A transposed operand comes as a view with swapped strides: no kernel should need a copy.
   */
  matmul(a: Strided, b: Strided, bias?: Strided): Storage;
  /** `target [m, n] += a [m, k] · b [k, n]`: a weight's gradient, summed over calls without a temporary. */
  matmulInto(target: Strided, a: Strided, b: Strided): true;

  /** Along the last axis. */
  softmax(x: Strided): Storage;
  /** `dx = y (g − Σ g y)` along the last axis. */
  softmaxBackward(y: Strided, g: Strided): Storage;
  logSoftmax(x: Strided): Storage;
  /** `dx = g − exp(y) Σ g` along the last axis. */
  logSoftmaxBackward(y: Strided, g: Strided): Storage;
  /** softmax(scale · x) over the last axis of [..., t, T], where row i sees only the columns 0 … T − t + i. */
  causalSoftmax(x: Strided, scale: number): Storage;
  causalSoftmaxBackward(y: Strided, g: Strided, scale: number): Storage;

  /** Over the last axis d of x [n, d], with the biased variance: y [n, d], and mean and 1/σ, each [n], for backward. */
  layerNorm(
    x: Strided,
    scale: Strided,
    shift: Strided,
    eps: number,
  ): { y: Storage; mean: Storage; rstd: Storage };
  /** dx [n, d], and dscale, dshift [d] when `parameters` asks for them. */
  layerNormBackward(
    g: Strided,
    x: Strided,
    scale: Strided,
    mean: Storage,
    rstd: Storage,
    parameters: boolean,
  ): { dx: Storage; dscale?: Storage; dshift?: Storage };

  /** Over the last axis d of x [n, d]: y = x / √(mean(x²) + eps) · scale [n, d], and that 1/√… of each row, [n]. */
  rmsNorm(x: Strided, scale: Strided, eps: number): { y: Storage; rstd: Storage };
  /** dx [n, d], and dscale [d] when `parameters` asks for it. */
  rmsNormBackward(
    g: Strided,
    x: Strided,
    scale: Strided,
    rstd: Storage,
    parameters: boolean,
  ): { dx: Storage; dscale?: Storage };

  /**
   * Turns each point (x[i], x[i + d/2]) of x [..., t, d] by the angle whose cosine and sine are those of row t and column
   * i of cos and sin, [t, d/2]; `back` turns it the other way.
   */
  rotary(x: Strided, cos: Strided, sin: Strided, back: boolean): Storage;

  /**
   * Mean over the rows whose target is not `ignoreIndex` of −log softmax(logits)[target], for logits [n, v] and
   * int32 targets [n]: the loss [1], and for backward (no second copy of the logits) each row's log-sum-exp in two parts
   * [n, 2], its largest logit and log Σ exp(logit − largest): far from zero their sum would have lost the second.
   */
  crossEntropy(logits: Strided, targets: Strided, ignoreIndex: number): { loss: Storage; logSumExp: Storage };
  /** `(softmax(logits) − one-hot) · g / rows counted`, with g [1]. */
  crossEntropyBackward(
    logits: Strided,
    targets: Strided,
    logSumExp: Storage,
    g: Strided,
    ignoreIndex: number,
  ): Storage;

  /** Rows of weight [v, d] for int32 ids [n]: [n, d]. Ids are in range. */
  embedding(weight: Strided, ids: Strided): Storage;
  /** `target [v, d]`, row ids[i], `+= g[i]` for g [n, d]: a scatter-add in place. */
  embeddingBackwardInto(target: Strided, ids: Strided, g: Strided): true;

  /** `out[…] = x[… index[…] …]` along `axis`, as torch.gather. Indices are in range. */
  gather(x: Strided, axis: number, index: Strided): Storage;
  /** `target[… index[…] …] += g[…]` along `axis`, in place: gather's adjoint. */
  scatterAddInto(target: Strided, axis: number, index: Strided, g: Strided): true;
  /** `target[… index[…] …] = source[…]` along `axis`, in place; where two meet the last one stays. Types are equal. */
  scatterInto(target: Strided, axis: number, index: Strided, source: Strided): true;

  /** Sums up to and including each position of an axis, or from it to the end in `reverse`; float32 or int32. */
  cumsum(x: Strided, axis: number, reverse: boolean): Storage;

  /** One AdamW step in a single pass; parameter, m and v are written in place, all contiguous. */
  adamW(parameter: Strided, gradient: Strided, m: Storage, v: Storage, step: AdamWStep): true;
}

/** One engine: the kernels that it has, and what to print about it. */
export interface Backend {
  readonly name: string;
  readonly kernels: DecliningKernels;
  /** Where its kernels want the host's numbers: memory that they read without a copy. */
  readonly allocator?: Allocator;
  memoryUse?(): MemoryUse;
  /** Takes back memory that the runtime frees only between jobs: see yieldToRuntime.ts. */
  betweenSteps?(): Promise<void>;
  /** Stops threads or a device. Storages on the device are brought home first. */
  close?(): void;
}

/** Memory of the CPU engine, in bytes. */
export interface MemoryUse {
  /** What tensors and the engine's own buffers take now. */
  readonly inUse: number;
  /** What the engine has taken from the system; it gives nothing back, but reuses it. */
  readonly reserved: number;
}

type Declinable<F> = F extends (...args: infer A) => infer R ? (...args: A) => R | undefined : never;
/** The kernels of a backend that may decline a case by answering `undefined`. */
export type DecliningKernels = { [K in keyof Kernels]?: Declinable<Kernels[K]> };
