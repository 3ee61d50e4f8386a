import type { GpuMode } from '../../lib/backend/gpu/index.ts';
import { describeOperations, describeSizes } from '../ops/check.ts';
import { modeByName, TESTED_MODES } from './modes.ts';

/**
 * The table of operations on every mode that can run here. Views and odd sizes are tried where the kernels are quick
 * to compile; the others run the same kernels, and test/gpu/kernels.test.ts gives each of them both.
 */
const QUICK: readonly GpuMode[] = ['webgpu', 'cpu'];

for (const mode of TESTED_MODES) {
  const quick = QUICK.includes(mode);
  const options = { tolerance: 1e-4, differences: false, views: quick };
  describeOperations(`gpu ${mode}`, modeByName(mode), options);
  if (quick) describeSizes(`gpu ${mode}`, modeByName(mode), { tolerance: 1e-4 });
}
