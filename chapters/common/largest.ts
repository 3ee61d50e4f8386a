/**
 * The largest number of a list, or `least` where it has none. Math.max(...numbers) hands them over as arguments, on the
 * stack, which is full at some 100,000.
 */
export function largest(numbers: Iterable<number>, least = Number.NEGATIVE_INFINITY): number {
  let most = least;
  for (const number of numbers) most = Math.max(most, number);
  return most;
}

/** Where the largest number of a list stands, the first of equal ones. */
export function positionOfLargest(numbers: readonly number[]): number {
  return numbers.indexOf(largest(numbers));
}
