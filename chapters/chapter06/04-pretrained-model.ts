import { countParameters } from '../chapter04/index.ts';
import { continued, tokeniser as gpt2Tokeniser, type Tokeniser } from '../chapter05/index.ts';
import type { Notebook } from '../common/notebook.ts';
import type { LanguageModel } from '../models/family.ts';
import type { PreparedMessages } from './02-preparing-the-dataset.ts';
import { shortened } from './own-data.ts';

/** A message of either kind, to ask the model about before and after. */
export const EXAMPLES = {
  spam: 'You are a winner you have been specially selected to receive $1000 cash or a $2000 award.',
  ham: "Hey, just wanted to check if we're still on for dinner tonight? Let me know!",
};

/** What the model does before it is fine-tuned: it continues a text, and that is all it does with a question, too. */
export function showPretrainedModel(
  nb: Notebook,
  model: LanguageModel,
  name: string,
  prepared: Pick<PreparedMessages, 'labels' | 'parts'>,
  tokeniser: Tokeniser = gpt2Tokeniser,
): void {
  const goesOn = (text: string, maxNewTokens: number) => continued(model, { tokeniser }, text, maxNewTokens);
  nb.note(`${name}: ${countParameters(model).toLocaleString('en')} parameters`);
  nb.print(46, goesOn('Every effort moves you', 15));
  if (prepared.labels) {
    const [text] = prepared.parts.test;
    const classes = prepared.labels.slice(0, 5).join(', ');
    nb.note(goesOn(`Which of ${classes} is the following text? '${shortened(text.text)}' It is`, 23));
    return;
  }
  const question = `Is the following text 'spam'? Answer with 'yes' or 'no': '${EXAMPLES.spam}'`;
  nb.print(48, goesOn(question, 23));
}
