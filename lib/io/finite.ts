import { UserError } from '../errors.ts';

/** @throws UserError if a number is NaN or infinite: training has diverged, or the file is damaged */
export function requireFinite(data: ArrayLike<number>, name: string): void {
  // A sum is NaN as soon as one number is not finite. Four sums side by side: one would wait for itself at every step.
  let [a, b, c, d] = [0, 0, 0, 0];
  const fours = data.length - (data.length % 4);
  for (let i = 0; i < fours; i += 4) {
    a += data[i] * 0;
    b += data[i + 1] * 0;
    c += data[i + 2] * 0;
    d += data[i + 3] * 0;
  }
  for (let i = fours; i < data.length; i++) a += data[i] * 0;
  if (a + b + c + d === 0) return;
  throw notFinite(name);
}

/** The message for numbers that are not all finite. */
export function notFinite(name: string): UserError {
  return new UserError(
    `${name} holds NaN or infinity: it is damaged, or the training that made it has diverged`,
  );
}
