/** Finished trainings, side by side; pinned ones keep their curve in the picture. */

import type { Accuracy, Settings } from '../worker/lab-messages.ts';
import { element } from './dom.ts';
import type { Curve } from './draw.ts';

export interface FinishedRun {
  settings: Settings;
  accuracy: Accuracy;
  /** Missing where a part of the training was seen by an earlier page. */
  seconds?: number;
  loss: Curve['points'];
}

export function runList() {
  const body = element('tbody', {});
  const heads = ['pin', 'method', 'rank', 'alpha', 'seed', 'train', 'valid', 'test', 'seconds'];
  const table = element(
    'table',
    { hidden: true },
    element('thead', {}, element('tr', {}, ...heads.map((head) => element('th', { scope: 'col' }, head)))),
    body,
  );
  const none = element('p', {}, 'None is finished yet.');
  const all: { run: FinishedRun; pin: HTMLInputElement; name: string }[] = [];
  return {
    place: element('div', { className: 'wide' }, none, table),
    add(run: FinishedRun): void {
      const { settings, accuracy, seconds } = run;
      const { method, rank, alpha, seed } = settings;
      const isLora = method === 'lora';
      const name = `${all.length + 1}: ${method}${isLora ? ` r ${rank}` : ''}`;
      const pin = element('input', { type: 'checkbox', checked: true, ariaLabel: `Pin run ${name}` });
      const shares = [accuracy.train, accuracy.valid, accuracy.test].map(
        (share) => `${(100 * share).toFixed(1)}%`,
      );
      const cells = [
        method,
        isLora ? rank : '',
        isLora ? alpha : '',
        seed,
        ...shares,
        seconds?.toFixed(1) ?? '–',
      ];
      body.append(
        element('tr', {}, element('td', {}, pin), ...cells.map((cell) => element('td', {}, String(cell)))),
      );
      all.push({ run, pin, name });
      table.hidden = false;
      none.hidden = true;
    },
    pinned: (): Curve[] =>
      all
        .filter(({ pin }) => pin.checked)
        .map(({ run, name }) => ({ name: `run ${name}`, points: run.loss })),
  };
}
