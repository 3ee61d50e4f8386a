/** The start page: a message is classified at once, by mini with an adapter that comes with the page. */

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
    const worker = new LabWorker('classify');
    worker.on('loading', ({ loading }) => {
      status.textContent = loading;
    });
    try {
      const { engine } = await worker.ask('open', { engine: 'CPU' });
      const { right, of } = ACCURACY;
      status.textContent = `mini with an adapter of rank 2, trained on the SMS Spam Collection: ${right} of its ${of} test messages right. Engine: ${engine}.`;
      const box = messageBox(worker, () => ({ strength: 1 }));
      start.replaceWith(box.place);
      await box.refresh();
    } catch (error) {
      status.textContent = (error as Error).message;
      start.disabled = false;
    }
  }
}
