/**
 * The GPU no longer answers, or has computed something wrong. What was only there is gone, and reading it throws
 * this again; so a training loop goes on from its last checkpoint, after `await useBackend('wasm')`.
 */
export class DeviceLostError extends Error {
  /** Tells it apart from other errors, also across bundles. */
  override name = 'DeviceLostError';
}
