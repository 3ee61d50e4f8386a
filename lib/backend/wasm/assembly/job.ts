import { REGION, SCRATCH } from './protocol';

/** A task has memory of its thread's own besides its job's arguments (protocol.ts). */

/** 0 is the thread that calls the kernels. */
let thread: i32 = 0;

/** To be called once by each helping thread. */
export function useScratchOf(id: i32): void {
  thread = id;
}

/** Memory that this thread alone writes. */
// @ts-ignore: decorator
@inline
export function scratch(): usize {
  return load<usize>(REGION + SCRATCH) + <usize>thread * load<usize>(REGION + SCRATCH + 4);
}
