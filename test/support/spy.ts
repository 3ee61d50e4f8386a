import { activeBackends, setBackends } from '../../lib/backend/dispatch.ts';
import type { DecliningKernels, Strided } from '../../lib/backend/kernels.ts';
import { useBackend } from '../../lib/index.ts';

export interface KernelCall {
  name: string;
  /** The shapes of the operands, in their order. */
  shapes: (readonly number[])[];
}

/** Runs `body` on `js` and tells which kernels it called, in their order. */
export async function kernelCalls(body: () => void): Promise<KernelCall[]> {
  await useBackend('js');
  const calls: KernelCall[] = [];
  const isStrided = (x: unknown): x is Strided => typeof x === 'object' && x !== null && 'strides' in x;
  const note =
    (name: string) =>
    (...operands: unknown[]) => {
      calls.push({ name, shapes: operands.filter(isStrided).map(({ shape }) => shape) });
      return undefined; // js does the work
    };
  const js = activeBackends().at(-1)!;
  const kernels = Object.fromEntries(Object.keys(js.kernels).map((name) => [name, note(name)]));
  setBackends([{ name: 'spy', kernels: kernels as DecliningKernels }]);
  try {
    body();
  } finally {
    await useBackend('js');
  }
  return calls;
}

/** The matrix products among them. */
export const productsOf = (calls: readonly KernelCall[]) =>
  calls.filter(({ name }) => name.startsWith('matmul')).map(({ name }) => name);
