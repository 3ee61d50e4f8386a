import { F, manualSeed, nn, noGrad, optim, type Tensor, tensor, UserError } from '../../../lib/index.ts';
import { END_OF_TEXT_ID } from '../../chapter02/index.ts';
import { GPTModel } from '../../chapter04/index.ts';
import { modelConfig } from '../../chapter05/models.ts';
import { cosineRate } from '../../chapter06/index.ts';
import type { TrainingPlace } from '../../common/training.ts';
import { drawWindows, type Source } from './pretraining-text.ts';
import type { Vocabulary } from './vocabulary.ts';

/** How `mini` is pretrained: chapter 5's loop, on long texts, with appendix D's schedule and clipping. */

/**
 * A new `mini` over that many ids: GPT-2's own initialisation (normal, 0.02), and the head tied to the token
 * embedding.
 */
export function newMini(seed: number, vocabSize: number): GPTModel {
  manualSeed(seed);
  const model = new GPTModel({ ...modelConfig('mini'), vocabSize });
  noGrad(() => {
    for (const [name, parameter] of model.namedParameters()) {
      if (name.endsWith('.weight')) nn.init.normal(parameter, 0, 0.02);
      else if (name.endsWith('.bias')) parameter.copyInPlace(tensor(0));
    }
  });
  // GPT-2 uses one matrix for what a token means on the way in and how likely it is on the way out.
  model.outHead = nn.Linear.of(model.tokEmb.weight);
  return model;
}

/**
 * Takes over the weights of a `mini` over all ids, as `weightsToSave` gives them: of the embedding the rows whose ids
 * occur.
 * @throws UserError unless they are those of a mini
 */
export function carryOn(
  model: GPTModel,
  vocabulary: Vocabulary,
  { 'tok_emb.weight': embedding, ...weights }: Record<string, Tensor>,
): void {
  const { vocabSize, embDim } = modelConfig('mini');
  if (String(embedding?.shape) !== String([vocabSize, embDim])) {
    throw new UserError(
      `the weights to carry on from are not those of a mini: ` +
        `tok_emb.weight [${vocabSize}, ${embDim}] is expected, not ${embedding ? `[${embedding.shape.join(', ')}]` : 'none'}`,
    );
  }
  const rows = embedding.indexSelect(0, [...vocabulary.ids]); // [ids that occur, d]
  model.loadStateDict({ ...weights, 'tok_emb.weight': rows, 'out_head.weight': rows });
}

/** The weights over all ids, without the tied head, which would be the token embedding again. */
export function weightsToSave(model: GPTModel, vocabulary: Vocabulary): Record<string, Tensor> {
  const { 'out_head.weight': _tied, ...weights } = model.stateDict();
  return { ...weights, 'tok_emb.weight': vocabulary.forAllIds(model.tokEmb.weight) };
}

/** A target that does not count, as crossEntropy has it. */
const IGNORED = -100;

/**
 * The mean loss over windows [b][t + 1] of ids. Within a run of padding there is nothing to learn: only its first
 * token, that the text has ended, and what follows its last are targets.
 */
export function pretrainingLoss(
  model: GPTModel,
  vocabulary: Vocabulary,
  windows: readonly Int32Array[],
): Tensor {
  const length = windows[0].length - 1;
  const inputs = new Int32Array(windows.length * length);
  const targets = new Int32Array(windows.length * length);
  windows.forEach((window, i) => {
    const numbers = vocabulary.numbersOf(window);
    inputs.set(numbers.subarray(0, length), i * length);
    targets.set(numbers.subarray(1), i * length);
    for (let j = 0; j < length; j++) {
      const isPadding = window[j] === END_OF_TEXT_ID && window[j + 1] === END_OF_TEXT_ID;
      if (isPadding) targets[i * length + j] = IGNORED;
    }
  });
  let x = model.embed(tensor(inputs).reshape(windows.length, length)); // [b, t, d]
  x = model.finalNorm.forward(model.trfBlocks.forward(x)); // [b, t, d]
  return F.linearCrossEntropy(x.flatten(0, 1), model.tokEmb.weight, tensor(targets));
}

export interface LossPoint {
  step: number;
  tokens: number;
  /** The mean over the steps since the point before. */
  training: number;
  /** On what is held out from each source, by the source's name. */
  heldOut: Record<string, number>;
}

export interface PretrainingHistory {
  points: LossPoint[];
  /** Of the losses since the last point. */
  sum: number;
  steps: number;
}

export const emptyHistory = (): PretrainingHistory => ({ points: [], sum: 0, steps: 0 });

export interface PretrainingOptions {
  vocabulary: Vocabulary;
  training: readonly Source[];
  validation: readonly Source[];
  steps: number;
  batchSize: number;
  /** Tokens per window. */
  length: number;
  peakLr: number;
  seed: number;
  /** Steps between two looks at the held-out losses. */
  evalEvery: number;
  print: (line: string) => void;
}

/** Batches over which the held-out loss of a source is taken. */
const EVAL_BATCHES = 4;

/** The loss on what is held out from a source, over the same windows every time. */
function heldOutLoss(model: GPTModel, source: Source, options: PretrainingOptions): number {
  const { vocabulary, batchSize, length } = options;
  return noGrad(() => {
    let sum = 0;
    for (let i = 0; i < EVAL_BATCHES; i++) {
      sum += pretrainingLoss(model, vocabulary, drawWindows([source], batchSize, length + 1, 7, i)).item();
    }
    return sum / EVAL_BATCHES;
  });
}

/** The training loop: yields the loss of every step. What a step learns from depends only on its number. */
export function* pretrainSteps(
  model: GPTModel,
  optimizer: optim.AdamW,
  options: PretrainingOptions,
  place: TrainingPlace<PretrainingHistory>,
): Generator<number, PretrainingHistory> {
  const { vocabulary, training, validation, steps, batchSize, length, seed, evalEvery } = options;
  const { history } = place;
  const print = place.printer(options.print);
  const numbers = Array.from({ length: steps }, (_, step) => step);
  for (const _ of place.epochs(1)) {
    for (const step of place.batches(numbers)) {
      optimizer.lr = cosineRate(step, steps, options.peakLr, Math.min(100, steps / 10));
      optimizer.zeroGrad();
      const windows = drawWindows(training, batchSize, length + 1, seed * 1_000_003, step);
      const loss = pretrainingLoss(model, vocabulary, windows);
      loss.backward();
      optim.clipGradNorm(model.parameters(), 1);
      optimizer.step();
      history.sum += loss.item();
      history.steps++;
      if ((step + 1) % evalEvery === 0 || step + 1 === steps) {
        const heldOut = validation.map(
          (source) => [source.name, heldOutLoss(model, source, options)] as const,
        );
        const mean = history.sum / history.steps;
        history.points.push({
          step: step + 1,
          tokens: (step + 1) * batchSize * length,
          training: mean,
          heldOut: Object.fromEntries(heldOut),
        });
        [history.sum, history.steps] = [0, 0];
        const held = heldOut.map(([name, value]) => `${name} ${value.toFixed(3)}`).join(', ');
        print(`step ${step + 1}: training loss ${mean.toFixed(3)}; held out ${held}`);
      }
      yield loss.item();
    }
  }
  return history;
}
