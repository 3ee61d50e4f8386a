/** The start page: a message is classified at once, by mini with an adapter that comes with the page. */

import type { Classify } from '../worker/lab-messages.ts';
import { withClock } from './clock.ts';
import { button, element } from './dom.ts';
import { LabWorker } from './lab-worker.ts';
import { messageBox } from './message.ts';

/** Of the collection's test part by seed 42: a test measures it. */
export const ACCURACY = { right: 293, of: 300 };

export function wake(place: HTMLElement): void {
  const status = element('output', { className: 'progress', ariaLabel: 'Progress' });
  status.textContent = 'The model is 14.5 MB. It is loaded once, and then kept in this browser.';
  const start = button('Load the model', () => void load(), { className: 'main' });
  place.replaceChildren(element('h2', {}, 'Spam, or not?'), status, start);

  async function load(): Promise<void> {
    start.disabled = true;
    const worker = new LabWorker<Classify>('classify');
    worker.on('loading', ({ loading }) => {
      status.textContent = loading;
    });
    try {
      const engine = await withClock(status, 'Starting', () => worker.ask((model) => model.open()));
      const { right, of } = ACCURACY;
      status.textContent = `mini with an adapter of rank 2, trained on the SMS Spam Collection: ${right} of its ${of} test messages right. Engine: ${engine}.`;
      const box = messageBox(worker);
      start.replaceWith(box.place);
      await box.refresh();
    } catch (error) {
      worker.stop();
      status.textContent = (error as Error).message;
      start.disabled = false;
    }
  }
}
