import { FINGERPRINT } from './protocol';

export { allow, run, work } from './pool';
export { timeSums, timeTile } from './speed';

/** Where the constants end. */
export function constantsEnd(): usize {
  return __heap_base;
}

/** Which protocol these kernels were built with. */
export function fingerprint(): i32 {
  return FINGERPRINT;
}
