/** The LoRA lab: what is to be trained, the training, and its pictures. Each part below has its own file. */

import type { Settings } from '../worker/lab-messages.ts';
import { adapterShelf } from './adapters.ts';
import { button, choice, element, labelled } from './dom.ts';
import { type Curve, curves } from './draw.ts';
import { openStore } from './kept.ts';
import { LabWorker } from './lab-worker.ts';
import { matrixMap } from './matrices.ts';
import { messageBox } from './message.ts';
import { runList } from './runs.ts';

const TARGETS: Record<string, string[]> = {
  'every Linear': [],
  'query and value': ['W_query', 'W_value'],
  attention: ['W_query', 'W_key', 'W_value', 'out_proj'],
};
const RATES = { lora: 2e-3, 'last-block': 5e-4, head: 5e-3, full: 5e-4 };
const METHODS = ['lora', 'last-block', 'head', 'full'] as const;
/** A look at the matrices costs little, but not nothing. */
const DRAW_EVERY_MS = 400;

export function wake(place: HTMLElement): void {
  document.body.classList.add('wide-page');
  const worker = new LabWorker();
  const kept = openStore('lab');
  const status = element('output', { className: 'progress', ariaLabel: 'Progress' });
  const facts = element('p', { role: 'group', ariaLabel: 'Facts' });
  const picture = element('div', {});

  const controls = makeControls();
  const engine = choice(['CPU', 'GPU'], 'CPU');
  engine.onchange = () => void open();
  const train = button('Train', () => void start(), { className: 'main', disabled: true });
  const pause = button('Pause', () => void stop(), { disabled: true });
  const one = button('Step', () => void start(1), { disabled: true });
  const reset = button('Reset', () => void begin(), { disabled: true });
  const goOn = button('Go on', () => void start(undefined, true), { hidden: true });
  const all = button('Compare all methods', () => void trainAll(), { disabled: true });
  const buttons = [train, one, reset, all, engine];

  let settings: Settings;
  let history: { loss: Curve['points'][number][]; valid: Curve['points'][number][] };
  let isRunning = false;
  let drawnAt = 0;
  let whenDone: () => void = () => {};

  const map = matrixMap(worker);
  const box = messageBox(worker, () => map.dose());
  const runs = runList();
  const adapters = adapterShelf(worker, {
    changed: () => void refresh(),
    dataGiven: (data) => void open(data),
  });
  map.onDose = () => void box.refresh();
  map.messageText = box.text;

  place.replaceChildren(
    element('h2', {}, 'Train'),
    controls.place,
    element(
      'div',
      { className: 'controls' },
      train,
      pause,
      one,
      reset,
      goOn,
      all,
      labelled('Engine', engine),
    ),
    status,
    facts,
    picture,
    element('h3', {}, 'Ask it'),
    box.place,
    element('h3', {}, 'How far each matrix has moved: ‖ΔW‖ / ‖W‖'),
    map.place,
    element('h3', {}, 'Runs'),
    runs.place,
    element('h3', {}, 'Adapters and data'),
    adapters.place,
  );
  worker.onFailure = (message) => {
    status.textContent = message;
    setRunning(false);
  };
  worker.on('loading', ({ loading }) => {
    status.textContent = loading;
  });
  worker.on('loss', ({ step, steps, loss, ms, memoryMiB }) => {
    history.loss.push({ x: step, y: loss });
    status.textContent = `step ${step} of ${steps} · loss ${loss.toFixed(3)} · ${ms.toFixed(0)} ms a step · ${memoryMiB.toFixed(0)} MiB`;
    status.dataset.step = String(step);
    // The last one may come when the training has stopped: nothing would draw it later.
    if (!isRunning || performance.now() - drawnAt > DRAW_EVERY_MS) void refresh();
  });
  worker.on('validLoss', ({ step, validLoss, validAccuracy }) => {
    history.valid.push({ x: step, y: validLoss });
    facts.dataset.accuracy = String(validAccuracy);
    controls.note(`validation: loss ${validLoss.toFixed(3)}, accuracy ${(100 * validAccuracy).toFixed(1)}%`);
  });
  worker.on('kept', ({ kept: path, bytes }) => void kept.then((store) => store.put(path, bytes)));
  worker.on('finished', ({ finished: { accuracy, seconds } }) => {
    const parts = Object.entries(accuracy).map(([part, share]) => `${part} ${(100 * share).toFixed(1)}%`);
    controls.note(`accuracy over all messages: ${parts.join(', ')}`);
    runs.add({ settings, accuracy, seconds, loss: history.loss });
    void kept.then((store) => store.clear());
    setRunning(false);
    whenDone();
  });
  void open();

  /** Starts the engine and loads what is needed, and the messages anew when a file is given. */
  async function open(data?: { name: string; bytes: Uint8Array }): Promise<void> {
    try {
      worker.give((await kept).files());
      const wanted = engine.value as 'CPU' | 'GPU';
      const { engine: started, source, synthetic } = await worker.ask('open', { engine: wanted, data });
      facts.textContent = `Engine: ${started}. Messages: ${source}${synthetic ? ' (synthetic: its accuracies say nothing about real spam)' : ''}.`;
      await begin();
    } catch (error) {
      status.textContent = (error as Error).message;
    }
  }

  /** A fresh model by the controls' settings. */
  async function begin(): Promise<void> {
    try {
      settings = controls.read();
      history = { loss: [], valid: [] };
      const { trainable, all: numbers, steps, isKept } = await worker.ask('reset', settings);
      status.textContent = `${trainable.toLocaleString('en')} of ${numbers.toLocaleString('en')} numbers are trained, in ${steps} steps.`;
      status.dataset.step = '0';
      goOn.hidden = !isKept;
      setRunning(false);
      adapters.began(settings.method === 'lora');
      await refresh();
    } catch (error) {
      status.textContent = (error as Error).message;
    }
  }

  async function start(steps?: number, resume = false): Promise<void> {
    if (!resume && JSON.stringify(controls.read()) !== JSON.stringify(settings)) await begin();
    setRunning(true);
    adapters.show('default');
    await worker.ask('train', { steps, goOn: resume });
    if (steps !== undefined) await stop();
  }

  async function stop(): Promise<void> {
    await worker.ask('pause', {});
    setRunning(false);
    await refresh();
  }

  async function trainAll(): Promise<void> {
    for (const method of METHODS) {
      controls.choose(method);
      await begin();
      const done = new Promise<void>((resolve) => {
        whenDone = resolve;
      });
      await start();
      await done;
    }
    whenDone = () => {};
  }

  function setRunning(running: boolean): void {
    isRunning = running;
    for (const each of buttons) each.disabled = running;
    pause.disabled = !running;
    if (running) goOn.hidden = true;
    if (!running) void refresh();
  }

  async function refresh(): Promise<void> {
    drawnAt = performance.now();
    picture.replaceChildren(
      curves(
        'Loss',
        [
          { name: 'training', points: history.loss },
          { name: 'validation', points: history.valid },
          ...runs.pinned(),
        ],
        'step',
      ),
    );
    await Promise.all([map.refresh(isRunning), box.refresh()]);
  }
}

/** The controls, which the address of the page carries: a link brings settings, and starts nothing. */
function makeControls() {
  const given = new URLSearchParams(location.hash.slice(1));
  const number = (name: string, initial: number, more: object = {}) =>
    element('input', {
      type: 'number',
      value: given.get(name) ?? String(initial),
      min: '1',
      step: 'any',
      ...more,
    });
  const method = choice(METHODS, given.get('method') ?? 'lora');
  const rank = number('rank', 16, { max: '64', step: '1' });
  const alpha = number('alpha', 16, { min: '0' });
  const scaling = choice(['alpha/r', 'rslora'], given.get('scaling') ?? 'alpha/r');
  const targets = choice(Object.keys(TARGETS), given.get('targets') ?? 'every Linear');
  const lr = number('lr', RATES[method.value as Settings['method']] ?? 2e-3, { min: '0' });
  const seed = number('seed', 42, { min: '0', step: '1' });
  const epochs = number('epochs', 3, { step: '1' });
  const batchSize = number('batchSize', 8, { step: '1' });
  const noted = element('p', { role: 'status', ariaLabel: 'So far' });
  method.onchange = () => {
    lr.value = String(RATES[method.value as Settings['method']]);
  };
  const whole = (
    name: string,
    { value }: HTMLInputElement,
    least: number,
    most = Number.POSITIVE_INFINITY,
  ) => {
    const read = Number(value);
    if (Number.isInteger(read) && read >= least && read <= most) return read;
    throw new Error(
      `${name} must be a whole number from ${least}${most < 1e9 ? ` to ${most}` : ''}, not '${value}'`,
    );
  };
  return {
    place: element(
      'div',
      {},
      element(
        'div',
        { className: 'controls' },
        ...[labelled('Method', method), labelled('Rank', rank), labelled('Alpha', alpha)],
        ...[labelled('Scaling', scaling), labelled('Targets', targets), labelled('Learning rate', lr)],
        ...[labelled('Seed', seed), labelled('Epochs', epochs), labelled('Batch size', batchSize)],
      ),
      noted,
    ),
    note(text: string): void {
      noted.textContent = text;
    },
    choose(value: string): void {
      method.value = value;
      method.onchange!(new Event('change'));
    },
    /** @throws Error in one line, if a setting makes no sense */
    read(): Settings {
      const rate = Number(lr.value);
      if (!(rate > 0)) throw new Error(`Learning rate must be a number above 0, not '${lr.value}'`);
      const settings: Settings = {
        method: method.value as Settings['method'],
        rank: whole('Rank', rank, 1, 64),
        alpha: Number(alpha.value),
        scaling: scaling.value as Settings['scaling'],
        targets: TARGETS[targets.value],
        lr: rate,
        seed: whole('Seed', seed, 0),
        epochs: whole('Epochs', epochs, 1),
        batchSize: whole('Batch size', batchSize, 1),
      };
      const link = { ...settings, targets: targets.value } as unknown as Record<string, string>;
      window.history.replaceState(null, '', `#${new URLSearchParams(link)}`);
      return settings;
    },
  };
}
