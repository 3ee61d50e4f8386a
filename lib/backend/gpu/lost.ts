/**
 * The GPU no longer answers, or has computed something wrong. Numbers that were only there are gone, and reading them throws
 * this error again. A training loop goes on from its last checkpoint, after `await useBackend('wasm')`.
 */
export class DeviceLostError extends Error {
  /** Tells this error apart from others, also across bundles. */
  override name = 'DeviceLostError';
}
