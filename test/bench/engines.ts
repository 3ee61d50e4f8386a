import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { jsKernels } from '../../lib/backend/js/index.ts';
import type { DecliningKernels, Strided } from '../../lib/backend/kernels.ts';
import { type Allocator, Storage } from '../../lib/backend/storage.ts';
import { createWasmBackend, VECTORS } from '../../lib/backend/wasm/index.ts';
import { gemmModel } from './onnx.ts';
import { lacksPython, PYTHON } from './python.ts';
import type { Job } from './timing.ts';

/** Everything that `bench -- gemm` measures: our engines, and those of others. */

export type Trans = 'NN' | 'NT' | 'TN';

/** A [m, k] · B [k, n]; the letters of `trans` say which operand lies transposed in memory. */
export interface Shape {
  m: number;
  n: number;
  k: number;
  trans: Trans;
}

export interface Engine {
  readonly name: string;
  readonly threads: number;
  /** A job that multiplies once; `undefined` if the engine has no such product. */
  prepare(shape: Shape): Promise<Job | undefined> | Job | undefined;
  close?(): unknown;
}

/** Operands as they lie in memory: A [m, k] or its transpose, B likewise. */
function operands({ m, n, k, trans }: Shape) {
  const [transA, transB] = [trans[0] === 'T', trans[1] === 'T'];
  const fill = (length: number, seed: number) =>
    Float32Array.from({ length }, (_, i) => Math.sin((i + 1) * seed));
  const [shapeA, shapeB] = [transA ? [k, m] : [m, k], transB ? [n, k] : [k, n]];
  return { transA, transB, shapeA, shapeB, a: fill(m * k, 0.37), b: fill(k * n, 0.73) };
}

function view(
  data: Float32Array,
  [rows, columns]: number[],
  transposed: boolean,
  allocator?: Allocator,
): Strided {
  const own = allocator?.allocate('float32', data.length, false) as Float32Array | undefined;
  own?.set(data);
  const storage = Storage.of(own ?? data);
  return transposed
    ? { storage, shape: [columns, rows], strides: [1, columns], offset: 0 }
    : { storage, shape: [rows, columns], strides: [columns, 1], offset: 0 };
}

function ours(name: string, threads: number, kernels: DecliningKernels, allocator?: Allocator): Engine {
  return {
    name,
    threads,
    prepare(shape) {
      const { transA, transB, shapeA, shapeB, a, b } = operands(shape);
      const left = view(a, shapeA, transA, allocator);
      const right = view(b, shapeB, transB, allocator);
      return () => kernels.matmul!(left, right);
    },
  };
}

function wasm(threads: number, vectors: 128 | 256): Engine {
  const backend = createWasmBackend({ threads, vectors });
  return {
    ...ours(`wasm-${vectors}`, threads, backend.kernels, backend.allocator),
    close: () => backend.close?.(),
  };
}

/** The readable loops take a second for a large product: the smallest one only, as it lies. */
function js(): Engine {
  const engine = ours('js', 1, jsKernels);
  const isSmall = ({ m, n, k, trans }: Shape) => trans === 'NN' && m * n * k < 6e8;
  return { ...engine, prepare: (shape) => (isSmall(shape) ? engine.prepare(shape) : undefined) };
}

async function tfjsWasm(): Promise<Engine> {
  const tf = await peer('@tensorflow/tfjs-core');
  const backend = await peer('@tensorflow/tfjs-backend-wasm');
  await tf.setBackend('wasm');
  await tf.ready();
  return {
    name: 'tfjs-wasm',
    threads: backend.getThreadsCount(),
    prepare(shape) {
      const { transA, transB, shapeA, shapeB, a, b } = operands(shape);
      const [left, right] = [tf.tensor2d(a, shapeA), tf.tensor2d(b, shapeB)];
      return () => tf.matMul(left, right, transA, transB).dispose();
    },
  };
}

async function jaxJs(): Promise<Engine> {
  const { defaultDevice, init, numpy: np } = await peer('@jax-js/jax');
  await init('wasm');
  defaultDevice('wasm');
  return {
    name: 'jax-js',
    threads: 1,
    async prepare(shape) {
      const { transA, transB, shapeA, shapeB, a, b } = operands(shape);
      const [left, right] = [np.array(a).reshape(shapeA), np.array(b).reshape(shapeB)];
      // `ref`: an operation uses its operands up.
      return async () => {
        const x = transA ? left.ref.transpose() : left.ref;
        const y = transB ? right.ref.transpose() : right.ref;
        const product = np.matmul(x, y);
        await product.blockUntilReady();
        product.dispose();
      };
    },
  };
}

async function onnxRuntime(threads: number): Promise<Engine> {
  const loaded = await peer('onnxruntime-node');
  const ort = loaded.default ?? loaded;
  let session: { run(feeds: unknown): Promise<unknown>; release(): Promise<void> } | undefined;
  return {
    name: 'onnxruntime',
    threads,
    async prepare(shape) {
      const { transA, transB, shapeA, shapeB, a, b } = operands(shape);
      const model = gemmModel(shapeA, shapeB, transA, transB, b);
      await session?.release();
      const options = { intraOpNumThreads: threads, interOpNumThreads: 1 };
      session = await ort.InferenceSession.create(model, options);
      const feeds = { A: new ort.Tensor('float32', a, shapeA) };
      return () => session!.run(feeds);
    },
    close: () => session?.release(),
  };
}

/** PyTorch in a process of its own, where the interpreter that `PYTHON` names has it; what the pipe takes is a tenth of a ms. */
async function pytorch(threads: number): Promise<Engine> {
  const script = fileURLToPath(new URL('torch_gemm.py', import.meta.url));
  const child = spawn(PYTHON, [script, `${threads}`], { stdio: ['pipe', 'pipe', 'ignore'] });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const answer = async () => {
    const { done, value } = await lines.next();
    if (done) throw new Error(`PyTorch cannot be run by ${PYTHON}`);
    return value;
  };
  child.on('error', () => {}); // its output ends too, and `answer` says so
  child.stdin.on('error', () => {});
  const ask = (line: string) => {
    child.stdin.write(`${line}\n`);
    return answer();
  };
  const version = await answer();
  return {
    name: `PyTorch-${version.replace(/\+.*/, '')}`,
    threads,
    async prepare({ m, n, k, trans }) {
      await ask(`${m} ${n} ${k} ${trans}`);
      return () => ask('run');
    },
    close: () => child.stdin.end(),
  };
}

// biome-ignore lint/suspicious/noExplicitAny: users install no peer, so there are no types of theirs
const peer = (name: string): Promise<any> => import(name);

const PEERS_INSTALLED = existsSync(new URL('./node_modules', import.meta.url));

/** All engines that can be made here, and why others cannot. */
export async function allEngines(): Promise<{ engines: Engine[]; missing: string[] }> {
  const missing: string[] = [];
  const all = availableParallelism();
  const threadCounts = all > 1 ? [1, all] : [1];
  const makers: (() => Engine | Promise<Engine>)[] = [
    js,
    ...VECTORS.flatMap((vectors) => threadCounts.map((threads) => () => wasm(threads, vectors))),
  ];
  if (PEERS_INSTALLED) {
    makers.push(tfjsWasm, jaxJs, ...threadCounts.map((threads) => () => onnxRuntime(threads)));
  } else {
    missing.push(
      'tfjs-wasm, jax-js and onnxruntime, which npm ci --prefix test/bench --ignore-scripts installs',
    );
  }
  const lacks = await lacksPython(['torch']);
  if (lacks) missing.push(`PyTorch: ${lacks}`);
  else makers.push(...threadCounts.map((threads) => () => pytorch(threads)));
  const engines: Engine[] = [];
  for (const make of makers) {
    try {
      engines.push(await make());
    } catch (error) {
      missing.push(error instanceof Error ? error.message.split('\n')[0] : `${error}`);
    }
  }
  return { engines, missing };
}
