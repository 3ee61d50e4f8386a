import { expect } from 'chai';
import { jsKernels } from '../../lib/backend/js/index.ts';
import type { DecliningKernels, Kernels, Strided } from '../../lib/backend/kernels.ts';
import { Storage, type TypedArray } from '../../lib/backend/storage.ts';
import { rowMajorStrides } from '../../lib/backend/strided.ts';
import { createWasmBackend } from '../../lib/backend/wasm/index.ts';
import { UserError } from '../../lib/errors.ts';

/** What the tests of the wasm kernels share: views of every layout, and the comparison with `js`. */

export const SIZES = [0, 1, 3, 7, 17, 109, 257];

/** One engine with one, two and three threads, over one memory. */
export const backends = [1, 2, 3].map((threads) => createWasmBackend({ threads, vectors: 128 }));
/** The engine with vectors of 256 bits on the same memory, or why this runtime has none. */
export const wideBackends = [1, 2].map((threads) => {
  try {
    return createWasmBackend({ threads, vectors: 256 });
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
});
const wide = wideBackends.filter((backend) => typeof backend !== 'string');
/** The other module that is built, without fused multiply-adds, in a memory of its own. */
export const plainBackends = [1, 2].map((threads) => createWasmBackend({ threads, variant: 'simd' }));

/** Numbers in −2 … 2 that look random, the same in every run. */
export function numbers(length: number, seed: number): Float32Array {
  let state = Math.imul(seed, 2654435761) >>> 0;
  const values = new Float32Array(length);
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    values[i] = state / 2 ** 30 - 2;
  }
  return values;
}

/** A row-major view of new numbers: in the first engine's own memory for an odd seed, else on the JS heap. */
export function view(shape: number[], seed = 1, data?: TypedArray): Strided {
  const values = data ?? numbers(sizeOf(shape), seed);
  const x = { storage: Storage.of(values), shape, strides: rowMajorStrides(shape), offset: 0 };
  return seed % 2 ? inside(x) : x;
}

const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** The same numbers in new storage of the first engine's memory. */
export function inside(x: Strided): Strided {
  const data = backends[0].memory.allocate(x.storage.dtype, x.storage.length, false);
  data.set(x.storage.data);
  return { ...x, storage: Storage.of(data) };
}

/** The same numbers in new storage on the JS heap, for kernels that write in place. */
export function cloned(x: Strided): Strided {
  return { ...x, storage: Storage.of(x.storage.data.slice()) };
}

export function permuted(x: Strided, order: number[]): Strided {
  return { ...x, shape: order.map((a) => x.shape[a]), strides: order.map((a) => x.strides[a]) };
}

/** [m, n] out of the middle of a larger matrix. */
export function sliced(m: number, n: number, seed: number): Strided {
  return { ...view([m + 2, n + 3], seed), shape: [m, n], offset: n + 3 + 1 };
}

/** The numbers of a row-major [m, n], lying in other ways: row-major, transposed, and in the middle of a larger matrix. */
export function layouts(x: Strided): Strided[] {
  const [m, n] = x.shape;
  const transposed = view([n, m]);
  const larger = sliced(m, n, 2);
  const moved = [permuted(transposed, [1, 0]), larger];
  for (const target of moved) jsKernels.copyInto(target, x);
  return [x, ...moved];
}

export function broadcast(x: Strided, shape: number[]): Strided {
  const missing = shape.length - x.shape.length;
  const strides = shape.map((length, axis) => {
    if (axis < missing) return 0;
    return x.shape[axis - missing] === 1 && length !== 1 ? 0 : x.strides[axis - missing];
  });
  return { ...x, shape, strides };
}

/** Views of one matrix shape: row-major, transposed, sliced, a row repeated, a column repeated. */
export function matrices(m: number, n: number, seed: number): Record<string, Strided> {
  return {
    plain: view([m, n], seed),
    transposed: permuted(view([n, m], seed + 1), [1, 0]),
    sliced: sliced(m, n, seed + 2),
    row: broadcast(view([n], seed + 3), [m, n]),
    column: broadcast(view([m, 1], seed + 4), [m, n]),
  };
}

function expectClose(
  actual: TypedArray,
  wanted: TypedArray,
  what: string,
  { typical, relative }: { typical: number; relative: number },
): void {
  expect(actual.constructor, what).to.equal(wanted.constructor);
  expect(actual.length, what).to.equal(wanted.length);
  let scale = typical;
  for (const value of wanted) if (Number.isFinite(value)) scale = Math.max(scale, Math.abs(value));
  for (let i = 0; i < wanted.length; i++) {
    if (actual[i] === wanted[i] || Object.is(actual[i], wanted[i])) continue;
    // Relative to the number itself, or to the largest of the result where a sum all but cancels out.
    const bound = relative * Math.max(Math.abs(wanted[i]), 0.1 * scale);
    if (!(Math.abs(actual[i] - wanted[i]) <= bound)) {
      expect.fail(`${what}: ${actual[i]} at ${i}, wanted ${wanted[i]}`);
    }
  }
}

type Results = Storage | Record<string, Storage | undefined>;

const parts = (results: Results): Record<string, Storage | undefined> =>
  results instanceof Storage ? { result: results } : results;

const bitsOf = ({ data }: Storage) =>
  Buffer.from(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));

/**
 * Runs a kernel on `js`, and with every module and every number of threads: close to `js`, bit for bit the same for any
 * number of threads and at both widths of vectors.
 * `typical` is the size of a result whose terms do not cancel out. `ofJs` is what `js` gives, where several checks share it.
 */
export function check(
  what: string,
  run: (kernels: Kernels) => Results,
  typical = 0,
  ofJs: Results = run(jsKernels),
): void {
  const wanted = parts(ofJs);
  for (const variant of [[...backends, ...wide], plainBackends]) {
    let first: Record<string, Storage | undefined> | undefined;
    for (const { kernels, threads, relaxed, vectors } of variant) {
      const got = parts(run(mustAnswer(kernels)));
      for (const [name, storage] of Object.entries(wanted)) {
        if (!storage) continue;
        const label = `${what}: ${name}, ${threads} threads, ${relaxed ? 'relaxed' : 'plain'} SIMD, ${vectors} bits`;
        // Plain SIMD rounds a product before it is added, relaxed SIMD only the sum: two errors for one.
        const relative = relaxed ? 1e-5 : 2e-5;
        expectClose(got[name]!.data, storage.data, label, { typical, relative });
        if (first)
          expect(bitsOf(got[name]!).equals(bitsOf(first[name]!)), `${label}, the bits`).to.equal(true);
      }
      first ??= got;
    }
  }
}

/** A backend's kernels, which here may not decline. */
export function mustAnswer(kernels: DecliningKernels): Kernels {
  return new Proxy(kernels, {
    get:
      (table, name: keyof Kernels) =>
      (...args: unknown[]) => {
        const answer = (table[name] as (...args: unknown[]) => unknown)(...args);
        if (answer === undefined) throw new Error(`wasm declines ${name}`);
        return answer;
      },
  }) as unknown as Kernels;
}
