import { command } from '../support/program.ts';

/** The interpreter of PyTorch's measurements: the one that the environment names. */
export const PYTHON = process.env.PYTHON ?? 'python3';

/** PyTorch's allocator kept warm: without these it gives large blocks back, and pays page faults for each again. */
export const WARM = {
  MALLOC_MMAP_MAX_: '0',
  MALLOC_TRIM_THRESHOLD_: '1000000000000',
  MALLOC_TOP_PAD_: '500000000',
  PYTHONWARNINGS: 'ignore',
};

/** What is missing for a measurement that needs these packages, asked before anything is measured. */
export async function lacksPython(packages: readonly string[]): Promise<string | undefined> {
  const program = `import importlib.util as u; print(*[p for p in '${packages.join(' ')}'.split() if not u.find_spec(p)])`;
  const ended = await command(PYTHON, ['-c', program]).catch(() => undefined);
  if (ended?.status !== 0) return `there is no ${PYTHON}; name an interpreter by PYTHON`;
  const lacking = ended.stdout.trim();
  return lacking ? `${PYTHON} lacks ${lacking.replaceAll(' ', ', ')}` : undefined;
}
