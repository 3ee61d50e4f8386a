import { F, io, tensor, UserError } from '../../../lib/index.ts';
import {
  againstMajority,
  type ClassMeasures,
  classNames,
  confusionMatrix,
  isOwnData,
  majorityOf,
  measuresOf,
  perClassTable,
  percent,
  shareRight,
} from '../../chapter06/index.ts';
import { Progress } from '../../common/progress.ts';
import { formatTable } from '../../common/table.ts';
import {
  isFolder,
  MESSAGES,
  type NamedText,
  obtain,
  readOwnTexts,
  readParts,
  sameName,
} from '../../datasets/index.ts';
import type { Asking } from '../adapter/asking.ts';

/** A classifier on labelled texts. */

export interface Evaluation {
  texts: number;
  /** The SHA-256 of the texts and their classes. */
  sha256: string;
  accuracy: number;
  /** The mean cross-entropy, in nats. */
  loss: number;
  /** The mean of the classes' F1 over the classes that the texts have. */
  macroF1: number;
  /** What always naming the most frequent class would have scored. */
  majority: { name: string; share: number };
  classes: ClassMeasures[];
  /** [its class][the class named]. */
  confusion: number[][];
}

/**
 * The labelled texts of a table, of the collection, or of the test part in a folder.
 * @throws UserError if they cannot be read
 */
export async function readLabelled(
  options: { data: string; textColumn?: string; labelColumn?: string },
  print: (line: string) => void,
): Promise<NamedText[]> {
  const { data } = options;
  if (isOwnData(options)) return readOwnTexts(data, options, print);
  if (isFolder(data)) {
    const { parts, labels } = await readParts(data);
    const names = classNames({ labels });
    return parts.test.map(({ text, label }, i) => ({
      text,
      label: names[label],
      where: `${data}, row ${i} of the test part`,
    }));
  }
  const { data: messages, source } = await obtain(MESSAGES, { path: data, print });
  return messages.map(({ text, label }, i) => ({ text, label, where: `${source}, message ${i + 1}` }));
}

/** Texts asked about at once. */
const BATCH = 8;

/**
 * Asks about all texts.
 * @throws UserError that names the first text of a class that the classifier does not know
 */
export function evaluate(
  { labels: names, logitsOf }: Asking,
  rows: readonly NamedText[],
  source: string,
): Evaluation {
  const labels = rows.map(({ label, where }) => {
    const number = names.findIndex((name) => sameName(name, label));
    if (number !== -1) return number;
    throw new UserError(
      `${where}: the classifier has no class '${label}'; its classes are ${names.join(', ')}`,
    );
  });
  const predicted: number[] = [];
  let loss = 0;
  const progress = new Progress('  asking', rows.length);
  for (let start = 0; start < rows.length; start += BATCH) {
    const logits = logitsOf(rows.slice(start, start + BATCH).map(({ text }) => text)); // [b, classes]
    const targets = tensor(labels.slice(start, start + BATCH), { dtype: 'int32' }); // [b]
    loss += F.crossEntropy(logits, targets, { reduction: 'sum' }).item();
    predicted.push(...(logits.argmax(-1).toFlatArray() as number[]));
    progress.update(predicted.length);
  }
  progress.stop();
  const confusion = confusionMatrix({ labels, predicted }, names.length);
  const classes = measuresOf(confusion, names);
  const present = classes.filter(({ count }) => count > 0);
  const told = rows.map(({ text }, i) => ({ text, label: names[labels[i]] }));
  if (rows.length === 0) throw new UserError(`${source} has no texts to evaluate the classifier on`);
  return {
    texts: rows.length,
    sha256: io.sha256(new TextEncoder().encode(JSON.stringify(told))),
    accuracy: shareRight({ labels, predicted }),
    loss: loss / rows.length,
    macroF1: present.reduce((sum, { f1 }) => sum + f1, 0) / present.length,
    majority: majorityOf(
      labels.map((label) => ({ label })),
      names,
    ),
    ...{ classes, confusion },
  };
}

/** Classes for which the whole confusion table fits a terminal. */
const MOST_COLUMNS = 10;

export function printEvaluation(evaluation: Evaluation, print: (line: string) => void): void {
  const { texts, accuracy, loss, macroF1, majority, classes, confusion } = evaluation;
  const names = classes.map(({ name }) => name);
  const right = Math.round(accuracy * texts);
  print(
    `Accuracy ${percent(accuracy)} (${right.toLocaleString('en')} of ${texts.toLocaleString('en')} texts), ` +
      againstMajority(accuracy, majority),
  );
  print(
    `Loss ${loss.toFixed(4)} nats (${Math.log(names.length).toFixed(4)} by guessing); F1 ${percent(macroF1)}, the mean over the classes`,
  );
  print(`\n${perClassTable(confusion, names)}`);
  if (names.length > MOST_COLUMNS) return;
  print('\nEach line is a class, and each column the class that was named:');
  const rows = confusion.map((row, i) => [names[i], ...row.map(String)]);
  print(formatTable(['class', ...names], rows));
}
