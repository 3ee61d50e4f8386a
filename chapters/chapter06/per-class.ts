import { largest } from '../common/largest.ts';
import { formatTable } from '../common/table.ts';
import type { LabelledText } from '../datasets/index.ts';

/** How well each class is told from the others, where one accuracy for all of them hides it. */

/** What a classifier has answered: the class of each text, and the class that it named. */
export interface Answers {
  labels: number[];
  predicted: number[];
}

/** The share of right answers. */
export function shareRight({ labels, predicted }: Answers): number {
  return labels.filter((label, i) => label === predicted[i]).length / labels.length;
}

/** How often each class was taken for each: [its class][the class named]. */
export function confusionMatrix({ labels, predicted }: Answers, classes: number): number[][] {
  const counts = Array.from({ length: classes }, () => Array<number>(classes).fill(0));
  labels.forEach((label, i) => {
    counts[label][predicted[i]]++;
  });
  return counts;
}

export interface ClassMeasures {
  name: string;
  /** How many texts are of this class. */
  count: number;
  /** Of the texts that were given this name, the share that are of the class; NaN if none was. */
  precision: number;
  /** Of the texts of the class, the share that were given its name; NaN if there are none. */
  recall: number;
  /** The harmonic mean of both. */
  f1: number;
}

/** Precision, recall and F1 of each class. */
export function measuresOf(confusion: readonly number[][], names: readonly string[]): ClassMeasures[] {
  return names.map((name, i) => {
    const found = confusion[i][i];
    const count = sum(confusion[i]);
    const named = sum(confusion.map((row) => row[i]));
    return {
      ...{ name, count, precision: found / named, recall: found / count },
      f1: count + named === 0 ? Number.NaN : (2 * found) / (count + named),
    };
  });
}

/** The most frequent class, and the share of the texts that are of it. */
export function majorityOf(
  rows: readonly Pick<LabelledText, 'label'>[],
  names: readonly string[],
): { name: string; share: number } {
  const counts = names.map((_, i) => rows.filter(({ label }) => label === i).length);
  const most = largest(counts);
  return { name: names[counts.indexOf(most)], share: most / rows.length };
}

/** Lines of such a table. */
const MOST_ROWS = 20;

/**
 * A table with a line for each class: how many texts there are, how many were found, and what the others were taken for,
 * the most frequent first. Of many classes it has those of which most were missed.
 */
export function perClassTable(confusion: readonly number[][], names: readonly string[]): string {
  const missed = confusion.map((row, i) => sum(row) - row[i]);
  const shownClasses = [...names.keys()]
    .sort((a, b) => missed[b] - missed[a])
    .slice(0, MOST_ROWS)
    .sort((a, b) => a - b);
  const measures = measuresOf(confusion, names);
  const rows = shownClasses.map((i) => {
    const { name, count, precision, recall, f1 } = measures[i];
    const others = confusion[i]
      .map((times, j) => ({ times, name: names[j], isOther: j !== i }))
      .filter(({ times, isOther }) => isOther && times > 0)
      .sort((a, b) => b.times - a.times);
    const shown = others.slice(0, 3).map(({ times, name }) => `${name} ${times}`);
    const more = others.length > 3 ? ['…'] : [];
    return [
      name,
      count.toLocaleString('en'),
      confusion[i][i].toLocaleString('en'),
      ...[precision, recall, f1].map((share) => (Number.isNaN(share) ? '–' : `${(100 * share).toFixed(1)}%`)),
      [...shown, ...more].join(', '),
    ];
  });
  const table = formatTable(['class', 'texts', 'found', 'precision', 'recall', 'F1', 'taken for'], rows);
  const rest = names.length - rows.length;
  return rest === 0
    ? table
    : `${table}\n(and ${rest} classes of which fewer were missed: --json FILE has all)`;
}

/** Is an accuracy worth anything? In a line, against always naming the most frequent class. */
export function againstMajority(accuracy: number, { name, share }: { name: string; share: number }): string {
  const always = `always naming '${name}' (${(100 * share).toFixed(1)}%)`;
  if (accuracy <= share) return `no better than ${always}`;
  return `against ${(100 * share).toFixed(1)}% by ${always.replace(/ \(.*/, '')}`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
