import type { Command, GpuMode, Greeting } from '../protocol.ts';
import { PULSE } from '../protocol.ts';
import { firstLine } from './engine.ts';
import { Executor } from './executor.ts';
import type { GpuJsModule } from './gpujs.ts';
import { openEngine } from './openEngine.ts';

/** The part of the runtime that the worker's program needs. */
export interface WorkerScope {
  /** @throws Unavailable if this mode cannot run here. */
  loadGpuJs(mode: GpuMode): Promise<GpuJsModule>;
  greet(greeting: Greeting): void;
  onCommands(listener: (commands: readonly Command[]) => void): void;
  /** Ends the worker. */
  leave(): void;
}

/**
 * The program of the worker that owns the GPU. WebGPU answers with promises only, so a synchronous call cannot use it. The
 * worker can, because another thread does the waiting.
 */
export async function serve(mode: GpuMode, control: SharedArrayBuffer, scope: WorkerScope): Promise<void> {
  try {
    const engine = await openEngine(mode, await scope.loadGpuJs(mode));
    const executor = new Executor(engine, control, () => scope.leave());
    let last = Promise.resolve();
    scope.onCommands((commands) => {
      last = last.then(() => executor.execute(commands));
    });
    scope.greet({ device: engine.device, limits: engine.limits });
  } catch (error) {
    scope.greet({ unavailable: firstLine(error) });
  }
}

/**
 * A kernel may run, or compile, for longer than anybody would wait for a sign of life. So a separate thread gives that sign,
 * and ends with the worker, whatever the reason. This is the thread's program; `control` is the expression for the shared
 * memory.
 */
export const pulseProgram = (control: string) => `
  const words = new Int32Array(${control});
  for (;;) {
    Atomics.add(words, ${PULSE}, 1);
    Atomics.wait(words, ${PULSE}, Atomics.load(words, ${PULSE}), 100);
  }`;
