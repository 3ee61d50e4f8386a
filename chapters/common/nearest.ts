/** The name that was probably meant, if one is near: at most a third of its letters wrong, missing or exchanged. */
export function nearest(given: string, names: readonly string[]): string | undefined {
  const simple = (name: string) => name.toLowerCase().replaceAll(/[-_]/g, '');
  const wanted = simple(given);
  let best: { name: string; wrong: number } | undefined;
  for (const name of names) {
    const wrong = editDistance(wanted, simple(name));
    if (wrong <= Math.max(wanted.length, name.length) / 3 && !(best && best.wrong <= wrong)) {
      best = { name, wrong };
    }
  }
  return best?.name;
}

/**
 * How many letters have to be added, left out, replaced or exchanged with their neighbour to make one word of the other
 * (Damerau 1964, with each place changed once).
 */
function editDistance(a: string, b: string): number {
  // rows[i][j]: from the first i letters of a to the first j of b
  const rows = Array.from({ length: a.length + 1 }, (_, i) => [i, ...Array<number>(b.length).fill(0)]);
  for (let j = 1; j <= b.length; j++) rows[0][j] = j;
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const isEqual = a[i - 1] === b[j - 1];
      rows[i][j] = Math.min(
        rows[i - 1][j] + 1,
        rows[i][j - 1] + 1,
        rows[i - 1][j - 1] + (isEqual ? 0 : 1),
        i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
          ? rows[i - 2][j - 2] + 1
          : Number.POSITIVE_INFINITY,
      );
    }
  }
  return rows[a.length][b.length];
}
