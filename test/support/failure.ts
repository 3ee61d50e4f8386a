import { expect } from 'chai';
import { UserError } from '../../lib/errors.ts';

/** What a promise that has to fail says to the user: one line. */
export async function failure(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    expect(error).to.be.instanceOf(UserError);
    expect((error as Error).message).to.match(/^[^\n]+$/);
    return (error as Error).message;
  }
  throw new Error('it did not fail');
}
