import v8 from 'node:v8';
import vm from 'node:vm';
import type { Collector } from './collector.ts';

/**
 * A garbage collection in the middle of running code, for Node.
 *
 * A training loop is one long synchronous job, so the engine cannot wait for V8 to tell it which tensors have died:
 * finalisers run only between jobs, and a WeakRef that was made or read holds its target until the job ends. Both
 * have a way round: running an empty script in a context with a microtask queue of its own ends with a checkpoint,
 * at which V8 forgets the targets that it held; and V8's own `gc` is available without a command-line flag.
 *
 * V8 keeps young objects apart, and looks through them alone in a millisecond. From the version of Node 26 on it forgets the
 * targets of WeakRefs there too; before, only when it looks through everything, which takes 5 to 50.
 *
 * Returns undefined if this runtime allows neither.
 */
export function createCollector(): Collector | undefined {
  try {
    v8.setFlagsFromString('--expose-gc');
    const collectGarbage = vm.runInNewContext('gc') as (options?: { type: 'minor' }) => void;
    const context = vm.createContext({}, { microtaskMode: 'afterEvaluate' });
    const nothing = new vm.Script('0');
    let forgetsTheYoung: boolean | undefined;
    return {
      withinJob: true,
      collect() {
        nothing.runInContext(context);
        collectGarbage();
      },
      collectYoung() {
        if (forgetsTheYoung === false) return false;
        const probe = new WeakRef({});
        nothing.runInContext(context);
        collectGarbage({ type: 'minor' });
        forgetsTheYoung ??= probe.deref() === undefined;
        return forgetsTheYoung;
      },
    };
  } catch {
    return undefined;
  }
}
