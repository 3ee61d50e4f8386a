/**
 * What the two sides of a job agree on: the host (kernels/) names a job and gives its arguments by name, the threads
 * (assembly/) read them by the same names. `npm run build` writes the same down for AssemblyScript: assembly/protocol.ts.
 *
 * Arguments lie in 4-byte words, in the order in which they are named here. `usize` is an address, or a distance in
 * bytes; `[n]` is a list of up to n.
 */

/**
 * The modules that are built: with fused multiply-adds (relaxed SIMD), without them for runtimes that have none, and with
 * them in pairs that V8 joins to vectors of 256 bits.
 */
export const VARIANTS = ['wide', 'relaxed', 'simd'] as const;
export type KernelVariant = (typeof VARIANTS)[number];

/**
 * At the beginning of the memory each module has a region of its own, so that the threads of one never see a job of another;
 * the tensors behind them belong to all. In a region, in bytes from its beginning: the words that the module's threads
 * share (assembly/pool.ts), where they find their scratch memory (its address, and the bytes that each has), a job's
 * arguments, and the constants of the kernels.
 */
export const regionOf = (variant: KernelVariant): number => VARIANTS.indexOf(variant) * REGION_BYTES;
export const REGION_BYTES = 4096;
export const HEAP = VARIANTS.length * REGION_BYTES;
export const SCRATCH = 208;
export const ARGUMENTS = 256;
export const CONSTANTS = 1024;

/** Rows of a panel of A and columns of a panel of B: the tile of sums that the matrix product keeps in registers. */
export const MR = 6;
export const panelColumns = (variant: KernelVariant): number => (variant === 'wide' ? 16 : 8);
/** Dimensions that an elementwise kernel can count beside the row, and a copy beside a plane. */
export const MOST_OUTER = 5;
export const MOST_FURTHER = 6;

/** How a sum of the matrix product begins: with zero, with what is in C, or with the bias. */
export const Start = { zero: 0, add: 1, bias: 2 } as const;

export const Unary = {
  ...{ neg: 0, abs: 1, exp: 2, log: 3, sqrt: 4, rsqrt: 5, reciprocal: 6, square: 7 },
  ...{ tanh: 8, sigmoid: 9, relu: 10, gelu: 11, silu: 12 },
} as const;
export const Binary = {
  ...{ add: 0, sub: 1, mul: 2, div: 3, maximum: 4, minimum: 5 },
  ...{ geluBackward: 6, siluBackward: 7 },
} as const;
export const Reduce = { sum: 0, max: 1, min: 2 } as const;
/** What a cast to float32 reads. */
export const CastFrom = { bool: 0, int32: 1 } as const;

/** How a matrix's numbers are kept in blocks (../quantised/formats.ts), by the names there in small letters. */
export const Blocks = { q4_0: 0, q4_1: 1, q5_0: 2, q5_1: 3, q8_0: 4, q4_k: 5, q6_k: 6 } as const;

type Word = 'i32' | 'usize' | 'f32';
export type Layout = Readonly<Record<string, Word | `${Word}[${number}]`>>;

export const LAYOUTS = {
  /** Panels of B [k, n], whose columns are `line` and whose rows `step` apart. */
  pack: {
    panelsPerTask: 'i32',
    k: 'i32',
    b: 'usize',
    line: 'usize',
    step: 'usize',
    n: 'i32',
    panels: 'usize',
  },
  /**
   * C [m, n] from A [m, k], packed by each thread for itself unless `readsA` says that it is read as it lies, and B's panels, one
   * `panelB` bytes behind the other, their rows `stepB` apart. C is cut into blocks of rows, these into chunks of columns
   * that are counted.
   */
  gemm: {
    ...{ m: 'i32', n: 'i32', k: 'i32', a: 'usize', lineA: 'usize', stepA: 'usize', readsA: 'i32' },
    ...{ panelsB: 'usize', panelB: 'usize', stepB: 'usize' },
    ...{ c: 'usize', rowBytes: 'usize', bias: 'usize', start: 'i32', blockRows: 'i32', blocks: 'i32' },
    ...{ chunkColumns: 'i32', lanes: 'i32', counters: 'usize' },
  },
  /** Many products at once. `table` holds three addresses for each: A, B, C. */
  gemmBatch: {
    ...{
      m: 'i32',
      n: 'i32',
      k: 'i32',
      blockRows: 'i32',
      blocksDown: 'i32',
      rowBytes: 'usize',
      table: 'usize',
    },
    ...{ bias: 'usize', lineA: 'usize', stepA: 'usize', lineB: 'usize', stepB: 'usize', start: 'i32' },
    ...{ readsA: 'i32' },
  },
  /**
   * Products with very few rows: A row-major, B's columns `line` and its rows `step` apart. Each product has `tasksEach`
   * tasks; from one to the next it is `nextA`, `nextB` and `nextC` bytes.
   */
  gemv: {
    ...{ tasksEach: 'i32', nextA: 'usize', nextB: 'usize', nextC: 'usize' },
    ...{ m: 'i32', n: 'i32', k: 'i32', a: 'usize', b: 'usize', c: 'usize', rowBytes: 'usize', bias: 'usize' },
    ...{ start: 'i32', columnsPerTask: 'i32', line: 'usize', step: 'usize' },
  },
  /** x [m, k] in blocks of 32 whole numbers with a scale and sums each (assembly/blockDots.ts). */
  roundRows: { m: 'i32', k: 'i32', x: 'usize', out: 'usize', apart: 'i32' },
  /** C [m, n] from few rounded rows and a matrix in blocks, whose n rows are B's columns. */
  blockDots: {
    ...{ m: 'i32', n: 'i32', k: 'i32', x: 'usize', format: 'i32', b: 'usize', lineB: 'usize' },
    ...{ c: 'usize', rowBytes: 'usize', start: 'i32', bias: 'usize', columnsPerTask: 'i32' },
  },
  /** Panels of n columns and k rows of B, a matrix in blocks: `byColumns` says that its rows are B's columns. */
  packBlocks: {
    ...{ panelsPerTask: 'i32', format: 'i32', b: 'usize', lineB: 'usize', byColumns: 'i32' },
    ...{ firstColumn: 'i32', n: 'i32', firstStep: 'i32', k: 'i32', panels: 'usize' },
  },
  embeddingBlocks: {
    ...{ rowsPerTask: 'i32', rows: 'i32', d: 'i32', format: 'i32', b: 'usize', lineB: 'usize' },
    ...{ ids: 'usize', out: 'usize' },
  },
  /**
   * Up to three operands seen as rows of `length`, along which each goes in steps of 0 or 1 elements; `outer` says how
   * the rows follow each other, the innermost dimension first, with three distances for each. The last row ends where
   * `total` elements do. The result is row-major.
   */
  elementwise: {
    ...{ op: 'i32', rowsPerTask: 'i32', rows: 'i32', length: 'i32', total: 'i32' },
    ...{ operands: 'usize[3]', steps: 'usize[3]', out: 'usize' },
    ...{ outerDimensions: 'i32', outerLengths: 'i32[5]', outerBytes: 'usize[15]' },
  },
  cast: { from: 'i32', elementsPerTask: 'i32', total: 'i32', x: 'usize', out: 'usize' },
  /**
   * Copies or adds one strided view onto another of the same shape. The two innermost dimensions make a plane, which
   * may be cut into bands of rows; the further ones, the innermost first, count planes.
   */
  copy: {
    ...{ add: 'i32', bandsPerTask: 'i32', bands: 'i32', to: 'usize', from: 'usize' },
    ...{
      columns: 'i32',
      columnTo: 'usize',
      columnFrom: 'usize',
      rows: 'i32',
      rowTo: 'usize',
      rowFrom: 'usize',
    },
    ...{ bandRows: 'i32', bandsPerPlane: 'i32' },
    ...{ furtherDimensions: 'i32', furtherLengths: 'i32[6]', furtherTo: 'usize[6]', furtherFrom: 'usize[6]' },
  },
  /** `causalRows`, where not 0, is t: row i of each [t, T] matrix sees the columns 0 … T − t + i only. */
  softmax: {
    ...{ rowsPerTask: 'i32', rows: 'i32', columns: 'i32', x: 'usize', y: 'usize' },
    ...{ scale: 'f32', causalRows: 'i32' },
  },
  softmaxBackward: {
    ...{ rowsPerTask: 'i32', rows: 'i32', columns: 'i32', y: 'usize', g: 'usize', dx: 'usize' },
    ...{ scale: 'f32', causalRows: 'i32' },
  },
  /** log-softmax [rows, columns], or the log-sum-exp of each row in two parts [rows, 2]. */
  logSoftmax: { rowsPerTask: 'i32', rows: 'i32', columns: 'i32', x: 'usize', out: 'usize' },
  logSoftmaxBackward: {
    ...{ rowsPerTask: 'i32', rows: 'i32', columns: 'i32', y: 'usize', g: 'usize', dx: 'usize' },
  },
  crossEntropyBackward: {
    ...{ rowsPerTask: 'i32', rows: 'i32', columns: 'i32', logits: 'usize', logSumExp: 'usize', dx: 'usize' },
    ...{ perRow: 'f32', targets: 'usize', ignoreIndex: 'i32' },
  },
  layerNorm: {
    ...{ rowsPerTask: 'i32', rows: 'i32', d: 'i32', x: 'usize', scale: 'usize', shift: 'usize', y: 'usize' },
    ...{ mean: 'usize', rstd: 'usize', eps: 'f32' },
  },
  layerNormBackward: {
    ...{ rowsPerTask: 'i32', rows: 'i32', d: 'i32', x: 'usize', scale: 'usize', g: 'usize', dx: 'usize' },
    ...{ mean: 'usize', rstd: 'usize' },
  },
  layerNormParameters: {
    ...{ columnsPerTask: 'i32', rows: 'i32', d: 'i32', x: 'usize', g: 'usize', mean: 'usize', rstd: 'usize' },
    ...{ dscale: 'usize', dshift: 'usize' },
  },
  rmsNorm: {
    ...{ rowsPerTask: 'i32', rows: 'i32', d: 'i32', x: 'usize', scale: 'usize', y: 'usize', rstd: 'usize' },
    ...{ eps: 'f32' },
  },
  rmsNormBackward: {
    ...{ rowsPerTask: 'i32', rows: 'i32', d: 'i32', x: 'usize', scale: 'usize', g: 'usize', dx: 'usize' },
    ...{ rstd: 'usize' },
  },
  rmsNormParameters: {
    ...{ columnsPerTask: 'i32', rows: 'i32', d: 'i32', x: 'usize', g: 'usize', rstd: 'usize' },
    ...{ dscale: 'usize' },
  },
  /** x [outer, n, inner] over n. A task is some results where `inner` is 1, else some columns of one outer matrix. */
  reduce: { op: 'i32', perTask: 'i32', outer: 'i32', n: 'i32', inner: 'i32', x: 'usize', out: 'usize' },
  embedding: {
    ...{
      rowsPerTask: 'i32',
      rows: 'i32',
      d: 'i32',
      table: 'usize',
      rowBytes: 'usize',
      ids: 'usize',
      out: 'usize',
    },
  },
  /** A task is some columns (a multiple of 4), so that the same id twice is not a race. */
  embeddingBackward: {
    ...{
      columnsPerTask: 'i32',
      rows: 'i32',
      d: 'i32',
      table: 'usize',
      rowBytes: 'usize',
      ids: 'usize',
      g: 'usize',
    },
  },
  /** `stepSize` is lr / (1 − β1ᵗ), `correction` √(1 − β2ᵗ), `decay` 1 − lr · weight decay. */
  adamW: {
    ...{
      elementsPerTask: 'i32',
      elements: 'i32',
      parameter: 'usize',
      gradient: 'usize',
      m: 'usize',
      v: 'usize',
    },
    ...{ beta1: 'f32', oneMinusBeta1: 'f32', beta2: 'f32', oneMinusBeta2: 'f32', stepSize: 'f32' },
    ...{ correction: 'f32', eps: 'f32', decay: 'f32' },
  },
} as const satisfies Record<string, Layout>;

/** The jobs, each with the layout of its arguments. A job's number is its place in this list. */
export const JOBS = {
  pack: 'pack',
  gemm: 'gemm',
  gemmBatch: 'gemmBatch',
  gemvDots: 'gemv',
  gemvRows: 'gemv',
  roundRows: 'roundRows',
  blockDots: 'blockDots',
  packBlocks: 'packBlocks',
  embeddingBlocks: 'embeddingBlocks',
  unary: 'elementwise',
  binary: 'elementwise',
  where: 'elementwise',
  cast: 'cast',
  copy: 'copy',
  softmax: 'softmax',
  softmaxBackward: 'softmaxBackward',
  logSoftmax: 'logSoftmax',
  logSoftmaxBackward: 'logSoftmaxBackward',
  logSumExp: 'logSoftmax',
  crossEntropyBackward: 'crossEntropyBackward',
  layerNorm: 'layerNorm',
  layerNormBackward: 'layerNormBackward',
  layerNormParameters: 'layerNormParameters',
  rmsNorm: 'rmsNorm',
  rmsNormBackward: 'rmsNormBackward',
  rmsNormParameters: 'rmsNormParameters',
  rotary: 'elementwise',
  reduceRows: 'reduce',
  reduceColumns: 'reduce',
  embedding: 'embedding',
  embeddingBackward: 'embeddingBackward',
  adamW: 'adamW',
} as const satisfies Record<string, keyof typeof LAYOUTS>;

export type JobName = keyof typeof JOBS;
type Value<W> = W extends `${string}[${string}` ? readonly number[] : number;
/** The arguments of a job, by name: all of them, and no others. */
export type Arguments<Job extends JobName> = {
  readonly [Name in keyof (typeof LAYOUTS)[(typeof JOBS)[Job]]]: Value<
    (typeof LAYOUTS)[(typeof JOBS)[Job]][Name]
  >;
};

/** An argument's place among the words: `at` is its first, `length` how many a list has (`undefined`: no list). */
export interface Place {
  readonly name: string;
  readonly type: Word;
  readonly at: number;
  readonly length: number | undefined;
}

/** Where a layout's arguments lie. */
export function placesOf(layout: Layout): Place[] {
  let next = 0;
  return Object.entries(layout).map(([name, word]) => {
    const [type, count] = word.split(/[[\]]/);
    const length = count === undefined ? undefined : Number(count);
    const at = next;
    next += length ?? 1;
    return { name, type: type as Word, at, length };
  });
}

/**
 * A number that changes with anything above. Modules that were built from another state of this file would read other
 * arguments than the host writes.
 */
export const FINGERPRINT = fingerprintOf(
  JSON.stringify([
    VARIANTS.map((variant) => [regionOf(variant), panelColumns(variant)]),
    SCRATCH,
    ARGUMENTS,
    CONSTANTS,
    MR,
    Start,
    Unary,
    Binary,
    Reduce,
    CastFrom,
    Blocks,
    LAYOUTS,
    JOBS,
  ]),
);

/** FNV-1a (Fowler, Noll & Vo). */
function fingerprintOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash | 0;
}
