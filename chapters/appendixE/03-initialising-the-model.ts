import { manualSeed } from '../../lib/index.ts';
import type { GPTModel } from '../chapter04/index.ts';
import { generate, obtainModel, textToTokenIds, tokenIdsToText } from '../chapter05/index.ts';
import {
  type Batches,
  calcAccuracies,
  printAccuracies,
  replaceHead,
  type SpamOptions,
} from '../chapter06/index.ts';
import type { Notebook } from '../common/notebook.ts';
import type { Parts } from '../datasets/index.ts';

/**
 * A pretrained model, what it writes, its new head for two classes, or for those of your own data, and how often that
 * is right by chance.
 */
export async function showModel(
  nb: Notebook,
  loaders: Parts<Batches>,
  options: SpamOptions,
  classes: number,
): Promise<GPTModel> {
  const model = (await obtainModel({ ...options, print: (line) => nb.note(line) })).eval();
  const { contextLength } = model.config;
  const ids = textToTokenIds('Every effort moves you'); // [1, 4]
  const continued = generate(model, ids, { maxNewTokens: 15, contextSize: contextLength }); // [1, 19]
  nb.print(21, tokenIdsToText(continued));

  replaceHead(model, options.seed, classes); // d → 2 in place of d → 50,257
  manualSeed(options.seed);
  const before = await calcAccuracies(loaders, model, 10);
  printAccuracies(nb, 26, before);
  nb.figure('accuracyBefore', before);
  return model;
}
