import { manualSeed, nn, noGrad, ones, stack, type Tensor, tensor } from '../../lib/index.ts';
import { isProgram, runChapter } from '../common/cli.ts';
import { type Notebook, torchSize } from '../common/notebook.ts';
import { float } from '../common/python.ts';
import {
  contextByHand,
  dotByHand,
  inputs,
  scoresByHand,
  scoresOf,
  simpleAttention,
  softmaxNaive,
} from './01-simple-attention.ts';
import { attendFrom, SelfAttentionV1, SelfAttentionV2 } from './02-self-attention.ts';
import { CausalAttention, maskAndNormalise, maskFuture } from './03-causal-attention.ts';
import { MultiHeadAttentionWrapper } from './04-several-heads.ts';
import { MultiHeadAttention } from './05-multi-head-attention.ts';

/** Prints what the notebook of chapter 3 prints, in its order. */
export function run(nb: Notebook): void {
  oneToken(nb);
  allTokens(nb);
  oneTokenWithWeights(nb);
  compactClasses(nb);
  const weights = causalMask(nb);
  dropout(nb, weights);
  const batch = stack([inputs, inputs]); // [2, 6, 3]
  causalAttention(nb, batch);
  severalHeads(nb, batch);
  weightSplits(nb, batch);
}

function oneToken(nb: Notebook): void {
  nb.section('3.3.1 A simple self-attention mechanism without trainable weights');
  const query = inputs.index(1); // “journey”, [3]
  const scores = scoresOf(query, inputs); // [6]
  nb.print(28, scores);
  nb.print(30, dotByHand(inputs.index(0), query));
  nb.print(30, inputs.index(0).matmul(query));
  const candidates: [number, Tensor][] = [
    [33, scores.div(scores.sum())],
    [35, softmaxNaive(scores)],
    [37, scores.softmax()],
  ];
  for (const [cell, weights] of candidates) {
    nb.print(cell, 'Attention weights:', weights);
    nb.print(cell, 'Sum:', weights.sum());
  }
  nb.print(40, contextByHand(scores.softmax(), inputs));
}

function allTokens(nb: Notebook): void {
  nb.section('3.3.2 Computing attention weights for all input tokens');
  nb.print(47, scoresByHand(inputs));
  const { scores, weights, context } = simpleAttention(inputs);
  nb.print(49, scores);
  nb.print(51, weights);
  const rounded = [0.1385, 0.2379, 0.2333, 0.124, 0.1082, 0.1581];
  nb.print(53, 'Row 2 sum:', float(rounded.reduce((sum, weight) => sum + weight)));
  nb.print(53, 'All row sums:', weights.sum(-1));
  nb.print(55, context);
  nb.print(57, 'Previous 2nd context vector:', contextByHand(scores.index(1).softmax(), inputs));
}

function oneTokenWithWeights(nb: Notebook): void {
  nb.section('3.4.1 Computing the attention weights step by step');
  manualSeed(123);
  const head = new SelfAttentionV1(3, 2);
  noGrad(() => {
    const { query, keys, values, scores, weights, context } = attendFrom(1, inputs, head);
    nb.print(70, query);
    nb.print(72, 'keys.shape:', torchSize(keys.shape));
    nb.print(72, 'values.shape:', torchSize(values.shape));
    nb.print(75, query.matmul(keys.index(1)));
    nb.print(77, scores);
    nb.print(80, weights);
    nb.print(83, context);
  });
}

function compactClasses(nb: Notebook): void {
  nb.section('3.4.2 Implementing a compact SelfAttention class');
  manualSeed(123);
  nb.print(86, new SelfAttentionV1(3, 2).forward(inputs));
  nb.print(89, headOfSeed789().forward(inputs));
}

/** The head that sections 3.4.2 and 3.5 share. */
function headOfSeed789(): SelfAttentionV2 {
  manualSeed(789);
  return new SelfAttentionV2(3, 2);
}

/** Returns the masked weights [6, 6]. */
function causalMask(nb: Notebook): Tensor {
  nb.section('3.5.1 Applying a causal attention mask');
  const scores = headOfSeed789().scores(inputs); // [6, 6]
  const weights = scores.div(Math.SQRT2).softmax(-1); // the keys have 2 dimensions
  nb.print(98, weights);
  const { mask, masked, normalised } = maskAndNormalise(weights);
  nb.print(100, mask);
  nb.print(102, masked);
  nb.print(105, normalised);
  const infinite = maskFuture(scores);
  nb.print(108, infinite);
  const causal = infinite.div(Math.SQRT2).softmax(-1);
  nb.print(110, causal);
  return causal;
}

function dropout(nb: Notebook, weights: Tensor): void {
  nb.section('3.5.2 Masking additional attention weights with dropout');
  const layer = new nn.Dropout(0.5);
  manualSeed(123);
  nb.print(115, layer.forward(ones(6, 6)));
  manualSeed(123);
  nb.print(116, layer.forward(weights));
}

function causalAttention(nb: Notebook, batch: Tensor): void {
  nb.section('3.5.3 Implementing a compact causal self-attention class');
  nb.print(120, torchSize(batch.shape));
  manualSeed(123);
  printContext(nb, 121, new CausalAttention(3, 2, 0).forward(batch));
}

function severalHeads(nb: Notebook, batch: Tensor): void {
  nb.section('3.6.1 Stacking multiple single-head attention layers');
  manualSeed(123);
  printContext(nb, 127, new MultiHeadAttentionWrapper(3, 2, 0, 2).forward(batch));
}

function weightSplits(nb: Notebook, batch: Tensor): void {
  nb.section('3.6.2 Implementing multi-head attention with weight splits');
  manualSeed(123);
  printContext(nb, 131, new MultiHeadAttention(3, 2, 6, 0, 2).forward(batch));
  const heads = tensor([
    [
      [
        [0.2745, 0.6584, 0.2775, 0.8573],
        [0.8993, 0.039, 0.9268, 0.7388],
        // biome-ignore lint/suspicious/noApproximativeNumericConstant: a made-up number that happens to be near one
        [0.7179, 0.7058, 0.9156, 0.434],
      ],
      [
        [0.0772, 0.3565, 0.1479, 0.5331],
        [0.4066, 0.2318, 0.4545, 0.9737],
        [0.4606, 0.5159, 0.422, 0.5786],
      ],
    ],
  ]); // [1, 2, 3, 4]: one text, two heads, three tokens, four dimensions
  nb.print(138, heads.matmul(heads.transpose(2, 3))); // [1, 2, 3, 3]: both heads in one call
  const [first, second] = [0, 1].map((head) => heads.index(0, head)); // [3, 4]
  nb.print(140, `First head:\n ${first.matmul(first.T)}`);
  nb.print(140, `\nSecond head:\n ${second.matmul(second.T)}`);
}

function printContext(nb: Notebook, cell: number, context: Tensor): void {
  nb.print(cell, context);
  nb.print(cell, 'context_vecs.shape:', torchSize(context.shape));
}

if (isProgram(import.meta.url)) {
  await runChapter({
    chapter: 'chapter03',
    summary: 'Attention, from the dot product to many heads.',
    options: {},
    run,
  });
}
