import { REGION, SCRATCH } from './protocol';

/** What a task has besides its job's arguments (protocol.ts): memory of its thread's own. */

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
