/** A message and the model's answer: spam or not, with and without the adapter, and the share of each token in it. */

import type { Dose, Questions } from '../worker/lab-messages.ts';
import { withClock } from './clock.ts';
import { button, element, labelled } from './dom.ts';
import type { LabWorker } from './lab-worker.ts';

const EXAMPLES = [
  'You are a winner you have been specially selected to receive $1000 cash or a $2000 award.',
  "Hey, just wanted to check if we're still on for dinner tonight? Let me know!",
];
const AT_REST_MS = 150;

export interface MessageBox {
  place: HTMLElement;
  text(): string;
  /** Asks again: the model has changed. */
  refresh(): Promise<void>;
  /** The controls that ask the model. */
  questions: HTMLButtonElement[];
}

export interface Asking {
  /** How the adapter counts. */
  dose(): Dose;
  /** Is there a model that can be asked? */
  canAsk(): boolean;
}

export function messageBox<Functions extends Questions>(
  worker: LabWorker<Functions>,
  { dose, canAsk }: Asking = { dose: () => ({ strength: 1 }), canAsk: () => true },
): MessageBox {
  const ask = worker as unknown as LabWorker<Questions>;
  const input = element('textarea', { value: EXAMPLES[0], rows: 3 });
  const answer = element('p', { className: 'answer', role: 'status', ariaLabel: 'Answer' });
  const tokens = element('p', { role: 'group', ariaLabel: 'What each token adds' });
  const examples = EXAMPLES.map((text, i) =>
    button(`Example ${i + 1}`, () => {
      input.value = text;
      void refresh();
    }),
  );
  const explain = button('What each token adds', () => void showInfluence());
  let timer = 0;
  let isAsking = false;
  let isStale = false;
  let isExplaining = false;

  input.oninput = () => {
    clearTimeout(timer);
    timer = window.setTimeout(() => void refresh(), AT_REST_MS);
  };

  /** One question at a time: while one is answered the next waits, and of those that wait only the last counts. */
  async function refresh(): Promise<void> {
    isStale = true;
    if (isAsking || !canAsk()) return;
    isAsking = true;
    try {
      while (isStale) {
        isStale = false;
        tokens.replaceChildren();
        const text = input.value;
        if (text.trim() === '') answer.textContent = 'Type a message.';
        else {
          const about = { text, ...dose() };
          const { probability, before } = await ask.ask((model) => model.classify(about));
          const verdict = probability > 0.5 ? 'spam' : 'not spam';
          answer.replaceChildren(
            element('strong', {}, verdict),
            ` – spam with a probability of ${percent(probability)}; without the adapter ${percent(before)}`,
          );
        }
      }
    } catch (error) {
      answer.textContent = (error as Error).message;
    } finally {
      isAsking = false;
    }
  }

  async function showInfluence(): Promise<void> {
    if (isExplaining) return;
    if (input.value.trim() === '') {
      tokens.textContent = 'Type a message.';
      return;
    }
    isExplaining = true;
    try {
      const about = { text: input.value, ...dose() };
      const all = await withClock(tokens, 'Leaving out one token after another', () =>
        ask.ask((model) => model.influence(about)),
      );
      if (about.text !== input.value) return;
      const most = Math.max(1e-6, ...all.map(({ change }) => Math.abs(change)));
      tokens.replaceChildren(
        'Left out, each changes the probability by: ',
        ...all.flatMap(({ text, change }) => {
          const strength = Math.round((60 * Math.abs(change)) / most);
          const background = `color-mix(in srgb, ${change > 0 ? '#d55e00' : '#0072b2'} ${strength}%, transparent)`;
          const points = `${change > 0 ? '+' : '−'}${(100 * Math.abs(change)).toFixed(1)}`;
          const word = element('span', { title: `${points} points` }, text);
          word.style.background = background;
          return [word, element('small', {}, ` ${points} `)];
        }),
      );
    } catch (error) {
      tokens.textContent = (error as Error).message;
    } finally {
      isExplaining = false;
    }
  }

  const place = element(
    'div',
    {},
    labelled('Message', input),
    answer,
    element('div', { className: 'controls' }, ...examples, explain),
    tokens,
  );
  return { place, text: () => input.value, refresh, questions: [explain] };
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(1)}%`;
}
