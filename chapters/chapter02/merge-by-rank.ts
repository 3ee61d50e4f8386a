/** Merging as section 9's `mergeInOrder` does, and faster: what has been found is kept, of a piece and of a text. */

/** What two neighbours become, if they are merged, and how early: the smallest rank first. */
export type MergeOf<Unit> = (left: Unit, right: Unit) => { rank: number; merged: Unit } | undefined;

/**
 * Merges neighbours, always the pair of the smallest rank, and of equal ones the leftmost, until no pair has one. After each
 * merge two pairs are new, and only these are looked up.
 */
export function mergeByRank<Unit>(pieces: readonly Unit[], mergeOf: MergeOf<Unit>): Unit[] {
  const units = [...pieces];
  const merges = units.map((unit, i) => (i + 1 < units.length ? mergeOf(unit, units[i + 1]) : undefined));
  for (;;) {
    let at = -1;
    let smallest = Number.POSITIVE_INFINITY;
    for (let i = 0; i < merges.length; i++) {
      const rank = merges[i]?.rank;
      if (rank !== undefined && rank < smallest) [at, smallest] = [i, rank];
    }
    if (at < 0) return units;
    units[at] = merges[at]!.merged;
    units.splice(at + 1, 1);
    merges.splice(at + 1, 1);
    merges[at] = at + 1 < units.length ? mergeOf(units[at], units[at + 1]) : undefined;
    if (at > 0) merges[at - 1] = mergeOf(units[at - 1], units[at]);
  }
}

/** Pieces of texts are words, and most of them occur again: so many are kept, and none that is longer. */
const MOST_KEPT = 100_000;
const LONGEST_KEPT = 50;

/** The same function of a piece, with its answers kept. */
export function remembered<Answer>(answerTo: (piece: string) => Answer): (piece: string) => Answer {
  let kept = new Map<string, Answer>();
  return (piece) => {
    let answer = kept.get(piece);
    if (answer !== undefined) return answer;
    answer = answerTo(piece);
    if (piece.length > LONGEST_KEPT) return answer;
    // To put one out for each that comes in would take longer than to begin anew.
    if (kept.size === MOST_KEPT) kept = new Map();
    kept.set(piece, answer);
    return answer;
  };
}
