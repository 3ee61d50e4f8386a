import { FINGERPRINT } from './protocol';

export { allow, run, work } from './pool';

/** Where the constants end: tensors may lie from here on. */
export function heapBase(): usize {
  return (__heap_base + 63) & ~63;
}

/** Which protocol these kernels were built with. */
export function fingerprint(): i32 {
  return FINGERPRINT;
}
