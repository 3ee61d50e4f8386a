import { manualSeed } from '../../lib/index.ts';
import { type BaseModel, continued } from '../chapter05/index.ts';
import {
  type Batches,
  calcAccuracies,
  classifierOf,
  printAccuracies,
  replaceHead,
  type SpamOptions,
} from '../chapter06/index.ts';
import type { Notebook } from '../common/notebook.ts';
import type { Parts } from '../datasets/index.ts';
import type { LanguageModel } from '../models/index.ts';

/**
 * A pretrained model, what it writes, its new head for two classes, or for those of your own data, and how often that
 * is right by chance.
 */
export async function showModel(
  nb: Notebook,
  loaders: Parts<Batches>,
  options: SpamOptions,
  { base, classes }: { base: BaseModel; classes: number },
): Promise<LanguageModel> {
  const model = await base.fresh();
  const { tokeniser, padTokenId } = base;
  nb.print(21, continued(model, { tokeniser }, 'Every effort moves you', 15));

  replaceHead(model, options.seed, classes); // d → 2 in place of d → 50,257
  manualSeed(options.seed);
  const before = await calcAccuracies(loaders, classifierOf(model, padTokenId), 10);
  printAccuracies(nb, 26, before);
  nb.figure('accuracyBefore', before);
  return model;
}
