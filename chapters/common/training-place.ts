import { random } from '../../lib/index.ts';

/** A place as it is kept in a checkpoint: plain data. */
export interface SavedPlace {
  epoch: number;
  batch: number;
  step: number;
  seen: number;
  history: object;
  lines: string[];
  epochStart: random.GeneratorState;
  generator: random.GeneratorState;
}

/**
 * Where a training loop is: the loop takes its epochs and batches from here, and keeps here what it has seen and printed,
 * so that it can be left after any step and entered again as if nothing had happened.
 *
 *     for (const epoch of place.epochs(numEpochs)) {
 *       for (const [inputs, targets] of place.batches(trainLoader)) {
 *         …one step, the number `place.step`…
 *         yield loss.item();
 *       }
 *     }
 */
export class TrainingPlace<History extends object> {
  /** The pass over the data under way, from 1. */
  epoch = 1;
  /** The step under way, from 0; −1 before the first. */
  step = -1;
  /** Examples or tokens seen, whichever the loop counts. */
  seen = 0;
  readonly history: History;
  private readonly lines: string[] = [];
  /** Batches taken from the loader in this epoch. */
  private batch = 0;
  /** The generator when this epoch began: the order of its batches follows from it. */
  private epochStart = random.defaultGenerator.getState();
  /** Where the generator has to go on from, after `restore`. */
  private generator: random.GeneratorState | undefined;

  /** @param history where the loop keeps its losses: an object of arrays and numbers */
  constructor(history: History) {
    this.history = history;
  }

  /** The passes that are left. */
  *epochs(numEpochs: number): Generator<number> {
    if (this.batch === 0) this.restoreGenerator();
    while (this.epoch <= numEpochs) {
      yield this.epoch;
      this.epoch++;
      this.batch = 0;
    }
  }

  /** The batches of this epoch that are left. Those already done are taken from the loader again, and skipped. */
  *batches<Batch>(loader: Iterable<Batch>): Generator<Batch> {
    if (this.batch > 0) random.defaultGenerator.setState(this.epochStart);
    else this.epochStart = random.defaultGenerator.getState();
    const batches = loader[Symbol.iterator]();
    for (let behind = 0; behind < this.batch; behind++) batches.next();
    this.restoreGenerator();
    for (let next = batches.next(); !next.done; next = batches.next()) {
      this.batch++;
      this.step++;
      yield next.value;
    }
  }

  /** Prints through `print`, and keeps the lines: a resumed run begins with what was printed before. */
  printer(print: (line: string) => void): (line: string) => void {
    for (const line of this.lines) print(line);
    return (line) => {
      this.lines.push(line);
      print(line);
    };
  }

  /** All of it, to go on from after this step. */
  save(): SavedPlace {
    const { epoch, batch, step, seen, history, lines, epochStart } = this;
    return {
      epoch,
      batch,
      step,
      seen,
      history,
      lines,
      epochStart,
      generator: random.defaultGenerator.getState(),
    };
  }

  /** Takes over a saved place, before the loop begins. */
  restore(saved: SavedPlace): void {
    const { history, lines, generator, ...rest } = saved;
    Object.assign(this, rest);
    Object.assign(this.history, history);
    for (const line of lines) this.lines.push(line);
    this.generator = generator;
  }

  private restoreGenerator(): void {
    if (this.generator) random.defaultGenerator.setState(this.generator);
    this.generator = undefined;
  }
}

/** Runs a training loop to its end, without a pause, and returns what it returns. */
export function runToEnd<Result>(
  steps: Generator<number, Result>,
  onStep?: (step: number, loss: number) => void,
): Result {
  for (let step = 0; ; step++) {
    const { done, value } = steps.next();
    if (done) return value;
    onStep?.(step, value);
  }
}
