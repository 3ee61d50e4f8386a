/** A mistake that the user can put right: shown as one line, without a stack trace. */
export class UserError extends Error {
  /** Tells it apart from other errors, also across bundles. */
  override name = 'UserError';
}
