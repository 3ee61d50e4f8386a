import { describeOperations, describeSizes } from '../ops/check.ts';
import { modeByName, TESTED_MODES } from './modes.ts';

/** The table of operations on every mode that can run here. */
for (const mode of TESTED_MODES) {
  describeOperations(`gpu ${mode}`, modeByName(mode), { tolerance: 1e-4, differences: false });
  describeSizes(`gpu ${mode}`, modeByName(mode), { tolerance: 1e-4 });
}
