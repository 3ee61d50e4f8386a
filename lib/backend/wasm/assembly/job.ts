/**
 * What a task sees of its job: the arguments, and memory of its thread's own. They lie at fixed addresses behind the
 * words that the threads share (pool.ts), where ../engine.ts writes them.
 */

const SCRATCH: usize = 208; // the first thread's scratch memory
const SCRATCH_BYTES: usize = 212; // and how much each thread has
/** The arguments: 4-byte words. */
const ARGS: usize = 256;

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
  return load<usize>(SCRATCH) + <usize>thread * load<usize>(SCRATCH_BYTES);
}

// @ts-ignore: decorator
@inline
export function argI(index: i32): i32 {
  return load<i32>(ARGS + (<usize>index << 2));
}

// @ts-ignore: decorator
@inline
export function argP(index: i32): usize {
  return load<usize>(ARGS + (<usize>index << 2));
}

// @ts-ignore: decorator
@inline
export function argF(index: i32): f32 {
  return load<f32>(ARGS + (<usize>index << 2));
}
