import { runTraining, type TrainingPlace } from '../../chapters/common/training.ts';
import {
  DataLoader,
  Dataset,
  F,
  manualSeed,
  nn,
  noGrad,
  optim,
  randn,
  type Tensor,
  tensor,
} from '../../lib/index.ts';

/**
 * A training of a tenth of a second that has everything a long one has: an order of batches that is drawn, dropout,
 * frozen weights, looks at the losses that draw as well, lines, and work at the end of each epoch.
 */

class Points extends Dataset<[Tensor, Tensor]> {
  readonly length = 14;
  private readonly points = randn(14, 4);

  get(position: number): [Tensor, Tensor] {
    return [this.points.select(0, position), tensor(position % 3, { dtype: 'int32' })];
  }
}

export const BATCHES = 4;
const EPOCHS = 3;
export const STEPS = BATCHES * EPOCHS;

export interface SmallHistory {
  losses: number[];
  looks: number[];
  accuracies: number[];
}

export const emptyHistory = (): SmallHistory => ({ losses: [], looks: [], accuracies: [] });

/** All that a run ends with: weights, the optimiser's memory, losses and printed lines. */
export interface SmallResult {
  weights: Record<string, unknown>;
  optimizer: Record<string, unknown>;
  history: SmallHistory;
  lines: string[];
}

export function newTraining(lr = 0.05) {
  manualSeed(3);
  const model = new nn.Sequential(
    new nn.Linear(4, 8),
    new nn.Dropout(0.3),
    new nn.ReLU(),
    new nn.Linear(8, 3),
  );
  const [first] = model;
  first.requiresGrad_(false);
  const trained = model.parameters().filter((parameter) => parameter.requiresGrad);
  const optimizer = new optim.AdamW(trained, { lr });
  const loader = new DataLoader(new Points(), { batchSize: 4, shuffle: true });
  manualSeed(5);
  return { model, optimizer, loader };
}

export function* smallSteps(
  { model, optimizer, loader }: ReturnType<typeof newTraining>,
  place: TrainingPlace<SmallHistory>,
  printLine: (line: string) => void,
): Generator<number, SmallHistory> {
  const { history } = place;
  const print = place.printer(printLine);
  for (const epoch of place.epochs(EPOCHS)) {
    model.train();
    for (const [inputs, labels] of place.batches(loader)) {
      optimizer.zeroGrad();
      const loss = F.crossEntropy(model.forward(inputs), labels);
      loss.backward();
      optimizer.step();
      place.seen += inputs.shape[0];
      history.losses.push(loss.item());
      if (place.step % 2 === 0) {
        const look = noGrad(() => {
          let sum = 0;
          for (const [x, y] of loader) sum += F.crossEntropy(model.forward(x), y).item();
          return sum;
        });
        history.looks.push(look);
        print(`epoch ${epoch}, step ${place.step}, ${place.seen} seen: ${look}`);
      }
      yield loss.item();
    }
    model.eval();
    history.accuracies.push(randn(1).item());
    print(`epoch ${epoch} done`);
  }
  return history;
}

export interface SmallOptions {
  folder: string;
  resume?: boolean;
  anew?: boolean;
  facts?: Record<string, string>;
  saveEvery?: number;
  lr?: number;
  /** Called before each step with its number. */
  beforeStep?: (step: number) => void | Promise<void>;
  print?: (line: string) => void;
}

/** Runs it, or goes on with it. */
export async function trainSmall({
  folder,
  beforeStep,
  print = () => {},
  facts,
  ...options
}: SmallOptions): Promise<SmallResult> {
  const training = newTraining(options.lr);
  const lines: string[] = [];
  const history = await runTraining(
    {
      ...training,
      label: 'small',
      folder,
      options,
      facts,
      totalSteps: STEPS,
      history: emptyHistory(),
      print,
    },
    function* (place) {
      const steps = smallSteps(training, place, (line) => void lines.push(line));
      for (;;) {
        beforeStep?.(place.step + 1);
        const { done, value } = steps.next();
        if (done) return value;
        yield value;
      }
    },
  );
  return resultOf(training, history, lines);
}

export function resultOf(
  { model, optimizer }: ReturnType<typeof newTraining>,
  history: SmallHistory,
  lines: string[],
): SmallResult {
  const plain = (tensors: Record<string, Tensor>) =>
    Object.fromEntries(Object.entries(tensors).map(([name, value]) => [name, value.toFlatArray()]));
  return { weights: plain(model.stateDict()), optimizer: plain(optimizer.stateDict()), history, lines };
}
