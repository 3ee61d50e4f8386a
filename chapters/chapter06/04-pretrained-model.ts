import { countParameters, type GPTModel } from '../chapter04/index.ts';
import { generate, textToTokenIds, tokenIdsToText } from '../chapter05/index.ts';
import type { Notebook } from '../common/notebook.ts';
import type { PreparedMessages } from './02-preparing-the-dataset.ts';
import { shortened } from './own-data.ts';

/** A message of either kind, to ask the model about before and after. */
export const EXAMPLES = {
  spam: 'You are a winner you have been specially selected to receive $1000 cash or a $2000 award.',
  ham: "Hey, just wanted to check if we're still on for dinner tonight? Let me know!",
};

/** Continues a text, greedily. */
function continued(model: GPTModel, text: string, maxNewTokens: number): string {
  const ids = generate(model, textToTokenIds(text), {
    maxNewTokens,
    contextSize: model.config.contextLength,
  });
  return tokenIdsToText(ids);
}

/** What the model does before it is fine-tuned: it continues a text, and that is all it does with a question, too. */
export function showPretrainedModel(
  nb: Notebook,
  model: GPTModel,
  name: string,
  prepared: Pick<PreparedMessages, 'labels' | 'parts'>,
): void {
  nb.note(`${name}: ${countParameters(model).toLocaleString('en')} parameters`);
  nb.print(46, continued(model, 'Every effort moves you', 15));
  if (prepared.labels) {
    const [text] = prepared.parts.test;
    const classes = prepared.labels.slice(0, 5).join(', ');
    nb.note(
      continued(model, `Which of ${classes} is the following text? '${shortened(text.text)}' It is`, 23),
    );
    return;
  }
  const question = `Is the following text 'spam'? Answer with 'yes' or 'no': '${EXAMPLES.spam}'`;
  nb.print(48, continued(model, question, 23));
}
