import { F, type nn, type Tensor, tensor, tidy } from '../../lib/index.ts';
import { countParameters, type GPTModel } from '../chapter04/index.ts';
import type { Notebook } from '../common/notebook.ts';
import { formatTable } from '../common/table.ts';
import type { LanguageModel } from '../models/family.ts';
import { START, type Tokeniser } from './01-text-and-loss.ts';
import { generate } from './03-decoding.ts';
import type { NewerBase } from './obtain-base.ts';

/**
 * What the chapters do with a GPT, for a model of another family: SmolLM2, Gemma 3, Qwen3, Llama 3.2. Its tokens are its own,
 * and a text may have to begin with one that says so.
 */

/** A model of another family than GPT-2's. */
export type NewerModel = Exclude<LanguageModel, GPTModel>;

/** What the loss passes over, as in PyTorch. */
const IGNORED = -100;

/**
 * The loss of `calcLossBatch` with less work: inputs and targets [b, t], of which some targets are −100 (chapter 7's padding and
 * prompts). The rows go through the model one behind another and without such ends; only the tokens that count reach the head,
 * which for a vocabulary of 262,144 is most of the work; and the logits of a few of them are in memory at a time.
 */
export function calcLossWithoutPadding(inputs: Tensor, targets: Tensor, model: nn.Module): Tensor {
  const newer = model as NewerModel;
  const [ids, wanted] = [inputs, targets].map((rows) => rows.toArray() as number[][]);
  const lengths = wanted.map((row) => Math.max(1, row.findLastIndex((id) => id !== IGNORED) + 1));
  const joined = (rows: number[][]) => rows.flatMap((row, i) => row.slice(0, lengths[i]));
  const hidden = newer.hiddenOfTexts(tensor([joined(ids)], { dtype: 'int32' }), lengths); // [1, Σ lengths, d]
  const labels = joined(wanted);
  const counted = labels.flatMap((id, at) => (id === IGNORED ? [] : [at]));
  return F.linearCrossEntropy(
    hidden.squeeze(0).indexSelect(0, counted), // [n, d]
    newer.outHead.weight,
    tensor(
      counted.map((at) => labels[at]),
      { dtype: 'int32' },
    ), // [n]
  );
}

/** A text and what a model goes on with, greedily, until a token that ends it. */
export function continued(
  model: LanguageModel,
  { tokeniser, endIds }: { tokeniser: Pick<Tokeniser, 'encode' | 'decode'>; endIds?: readonly number[] },
  text: string,
  maxNewTokens: number,
): string {
  const ids = tensor([tokeniser.encode(text)], { dtype: 'int32' }); // [1, t]
  const { contextLength } = model.config;
  const whole = generate(model, ids, {
    maxNewTokens,
    contextSize: contextLength,
    eosId: endIds,
    cache: true,
  });
  return text + tokeniser.decode(whole.slice(1, ids.shape[1]).toFlatArray() as number[]);
}

/** Tokens of a piece of the story; 5.1's are as long. */
const PIECE = 256;

/** The mean loss over a text in pieces, each of which the model sees by itself, in nats: of a token, and of a character. */
export function lossOfText(
  model: NewerModel,
  tokeniser: Tokeniser,
  text: string,
): { tokens: number; perToken: number; perCharacter: number } {
  const start = tokeniser.encode('');
  const ids = tokeniser.encode(text).slice(start.length);
  const length = Math.min(PIECE, model.config.contextLength - start.length);
  let [sum, tokens] = [0, 0];
  for (let from = 0; from < ids.length; from += length) {
    const piece = [...start, ...ids.slice(from, from + length)];
    const [inputs, targets] = [piece.slice(0, -1), piece.slice(1)].map((row) => {
      return tensor([row], { dtype: 'int32' }); // [1, ≤ 256]
    });
    const counted = inputs.size;
    if (counted === 0) continue;
    sum += counted * tidy(() => calcLossWithoutPadding(inputs, targets, model)).item();
    tokens += counted;
  }
  return { tokens, perToken: sum / tokens, perCharacter: sum / [...text].length };
}

/**
 * A model that somebody else has pretrained, on the book's story: its loss on both parts, without having been trained here, and
 * how it goes on with the book's beginning. Losses of a token can be compared only between models with the same tokens; those
 * of a character always.
 */
export async function showNewerModel(nb: Notebook, base: NewerBase, story: string): Promise<void> {
  const model = await base.fresh();
  nb.note(`${base.name}: ${countParameters(model).toLocaleString('en')} parameters`);
  const cut = Math.floor(0.9 * story.length);
  const parts = { train: story.slice(0, cut), val: story.slice(cut) };
  const losses = {
    train: lossOfText(model, base.tokeniser, parts.train),
    val: lossOfText(model, base.tokeniser, parts.val),
  };
  const row = (name: string, { tokens, perToken, perCharacter }: typeof losses.train) => [
    ...[name, tokens.toLocaleString('en'), perToken.toFixed(3)],
    ...[Math.exp(perToken).toFixed(1), perCharacter.toFixed(3)],
  ];
  nb.note(
    formatTable(
      ['the story', 'tokens', 'loss', 'perplexity', 'loss of a character'],
      [row('training part', losses.train), row('validation part', losses.val)],
    ),
  );
  nb.note(continued(model, base, START, 25));
  nb.figure('newerModel', { name: base.name, losses });
}
