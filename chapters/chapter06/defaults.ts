import { activeBackends } from '../../lib/backend/dispatch.ts';
import type { ModelName } from '../chapter05/index.ts';
import type { Method } from './02-classifier.ts';

/**
 * Learning rates. For GPT-2 the book's own; `mini` is 150 times as small and wants larger steps (chosen on the
 * validation part).
 */
const LEARNING_RATES: Record<'mini' | 'gpt2', Record<Method, number>> = {
  mini: { head: 5e-3, 'last-block': 5e-4, lora: 1e-3, full: 5e-4 },
  gpt2: { head: 5e-5, 'last-block': 5e-5, lora: 8e-4, full: 5e-5 },
};

export function defaultLearningRate(model: ModelName, method: Method): number {
  return LEARNING_RATES[model === 'mini' ? 'mini' : 'gpt2'][method];
}

/**
 * The book's five passes for GPT-2; `mini` has learnt what it can from so few messages after three. The readable
 * loops, which need a second for each of its steps, take one.
 */
export function defaultEpochs(model: ModelName, engine = activeBackends()[0].name): number {
  if (model !== 'mini') return 5;
  return engine === 'js' ? 1 : 3;
}
