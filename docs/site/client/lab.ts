/** The LoRA lab: its settings, its training, its pictures. Each part has its own file; lab-states.ts has a drawing of the states. */

import type { Accuracy, Lab, Settings, Trained } from '../worker/lab-messages.ts';
import { adapterShelf } from './adapters.ts';
import { withClock } from './clock.ts';
import { button, choice, element, labelled } from './dom.ts';
import { type Curve, curves } from './draw.ts';
import { type Kept, openStore } from './kept.ts';
import { type Control, LabState } from './lab-states.ts';
import { LabWorker } from './lab-worker.ts';
import { matrixMap } from './matrices.ts';
import { messageBox, percent } from './message.ts';
import { runList } from './runs.ts';
import { METHODS, settingsForm } from './settings.ts';

/** A look at the matrices costs little, but not nothing. */
const DRAW_EVERY_MS = 400;

/** A training that was cut off, by the key of its settings and messages. */
interface KeptTraining {
  step: number;
  /** In words. */
  about: string;
  checkpoint: Uint8Array;
}

export function wake(place: HTMLElement): void {
  document.body.classList.add('wide-page');
  const worker = new LabWorker<Lab>('lab');
  const state = new LabState();
  const store = openStore<KeptTraining>('lab');
  const status = element('output', { className: 'progress', ariaLabel: 'Progress' });
  const facts = element('p', { role: 'group', ariaLabel: 'Facts' });
  const noted = element('p', { role: 'status', ariaLabel: 'So far' });
  const keptList = element('div', { role: 'group', ariaLabel: 'Kept in this browser' });
  const picture = element('div', {});

  const controls = settingsForm(() => showWhatIsKept());
  const engine = choice(['CPU', 'GPU'], 'CPU');
  const train = button('Train', () => void start(), { className: 'main' });
  const pause = button('Pause', stop);
  const one = button('Step', () => void start(1));
  const reset = button('Reset', () => void open());
  const goOn = button('Go on', () => void takeUp());
  const all = button('Compare all methods', () => void compare());

  /** The engine and the model that the worker has opened. */
  let opened: { engine: string; name: string } | undefined;
  let settings: Settings | undefined;
  let key = '';
  let source = '';
  let isFinished = false;
  let history: { loss: Curve['points'][number][]; valid: Curve['points'][number][] } = {
    loss: [],
    valid: [],
  };
  let drawnAt = 0;

  const map = matrixMap(worker, asking);
  const box = messageBox(worker, { dose: () => map.dose(), canAsk: () => state.allows('questions') });
  const runs = runList();
  const adapters = adapterShelf(worker, asking, {
    changed: () => void refresh(),
    dataGiven: (count) => {
      controls.limitBatch(count);
      void open();
    },
  });
  map.onDose = () => void box.refresh();
  map.messageText = box.text;

  place.replaceChildren(
    ...[element('h2', {}, 'Train'), controls.place, noted],
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
    ...[keptList, status, facts, picture],
    ...[element('h3', {}, 'Ask it'), box.place],
    ...[element('h3', {}, 'How far each matrix has moved: ‖ΔW‖ / ‖W‖'), map.place],
    ...[element('h3', {}, 'Runs'), runs.place, element('h3', {}, 'Adapters and data'), adapters.place],
  );
  const groups: Record<Control, (HTMLElement & { disabled: boolean })[]> = {
    settings: [...controls.controls, engine],
    start: [train, one, reset, all, goOn],
    pause: [pause],
    adapters: adapters.controls,
    questions: [...map.questions, ...box.questions],
    measures: map.measures,
  };
  state.onChange = lock;
  lock();

  function lock(): void {
    for (const [control, elements] of Object.entries(groups))
      for (const each of elements) each.disabled = !state.allows(control as Control);
    place.dataset.state = state.now;
    showWhatIsKept();
  }

  engine.onchange = () => void open();
  worker.onDeath = fail;
  worker.on('loading', ({ loading }) => {
    status.textContent = loading;
  });
  worker.on('loss', ({ step, steps, loss, ms, memoryMiB }) => {
    history.loss.push({ x: step, y: loss });
    status.textContent = `step ${step} of ${steps} · loss ${loss.toFixed(3)} · ${ms.toFixed(0)} ms a step · ${memoryMiB.toFixed(0)} MiB`;
    status.dataset.step = String(step);
    if (performance.now() - drawnAt > DRAW_EVERY_MS) void refresh();
  });
  worker.on('validLoss', ({ step, validLoss, validAccuracy }) => {
    history.valid.push({ x: step, y: validLoss });
    noted.textContent = `validation: loss ${validLoss.toFixed(3)}, accuracy ${percent(validAccuracy)}`;
  });
  worker.on('kept', ({ kept }) => void keep(kept));
  void openNow();

  /** Starts the worker and the engine where they do not run yet, and makes a fresh model by the settings. */
  async function open(): Promise<boolean> {
    return state.take('open') && openNow();
  }

  async function openNow(): Promise<boolean> {
    try {
      if (worker.isBroken) {
        worker.start();
        opened = undefined;
      }
      const wanted = engine.value as 'CPU' | 'GPU';
      if (opened?.engine !== wanted) {
        opened = undefined;
        const name = await withClock(status, 'Starting', () =>
          worker.ask((lab) => lab.open({ engine: wanted })),
        );
        opened = { engine: wanted, name };
      }
      await begin();
      state.take('done');
    } catch (error) {
      fail(error);
      return false;
    }
    void refresh();
    return true;
  }

  /** A fresh model by the settings. @throws Error if they are wrong, or the worker refuses them */
  async function begin(): Promise<void> {
    const wanted = controls.read();
    if (!wanted) throw new Error('A setting is wrong: the line beside it says what it must be.');
    settings = undefined;
    const begun = await withClock(status, 'Preparing the messages and the model', () =>
      worker.ask((lab) => lab.reset(wanted)),
    );
    [settings, key, source, isFinished] = [wanted, begun.key, begun.source, false];
    history = { loss: [], valid: [] };
    controls.limitBatch(begun.messages);
    noted.textContent = '';
    facts.textContent = `Engine: ${opened!.name}. Messages: ${source}${begun.synthetic ? ' (synthetic: its accuracies say nothing about real spam)' : ''}.`;
    status.textContent = `${begun.trainable.toLocaleString('en')} of ${begun.all.toLocaleString('en')} numbers are trained, in ${begun.steps} steps.`;
    status.dataset.step = '0';
    adapters.show(begun.adapters, begun.active);
  }

  /** Nothing can be trained any more: the line says why. */
  function fail(error: unknown): void {
    settings = undefined;
    state.take('fail');
    status.textContent = `${(error as Error).message}`;
  }

  /** Does work that nobody else may disturb. A refusal changes nothing, and is for the asker to show. */
  async function asking<T>(work: () => Promise<T>): Promise<T> {
    if (!state.take('ask')) throw new Error('The lab is busy: this has to wait.');
    try {
      return await work();
    } finally {
      state.take('done');
      void box.refresh(); // a message may have been typed meanwhile
    }
  }

  /** Trains by the settings that are shown. A model of other settings, or one that has finished, is made anew. */
  async function start(steps?: number): Promise<void> {
    if (!controls.read()) return;
    if ((isFinished || !controls.are(settings)) && !(await open())) return;
    await run('train', () => trainOn(steps));
  }

  async function compare(): Promise<void> {
    if (!controls.read()) return;
    if (state.now === 'failed' && !(await open())) return;
    await run('compare', async () => {
      for (const method of METHODS) {
        controls.choose(method);
        await begin();
        if (state.now === 'comparing') await trainOn();
        if (state.now !== 'comparing') return;
      }
    });
  }

  /** Goes on from the checkpoint that was kept of this very training. */
  async function takeUp(): Promise<void> {
    const kept = (await store).all().get(key);
    if (!kept || !controls.are(settings)) return;
    try {
      const { checkpoint } = kept;
      const { losses } = await asking(() => worker.ask((lab) => lab.goOn({ checkpoint })));
      history.loss = losses.map((y, i) => ({ x: i + 1, y }));
      status.dataset.step = String(losses.length);
    } catch (error) {
      status.textContent = (error as Error).message;
      return;
    }
    await run('train', () => trainOn());
  }

  async function run(event: 'train' | 'compare', work: () => Promise<void>): Promise<void> {
    if (!state.take(event)) return;
    try {
      await work();
      state.take('done');
    } catch (error) {
      fail(error);
    }
    await refresh();
  }

  async function trainOn(steps?: number): Promise<void> {
    if (settings?.method === 'lora') adapters.choose('default');
    const { step, finished }: Trained = await worker.ask((lab) => lab.train({ steps }));
    status.dataset.step = String(step);
    if (!finished) return;
    const { accuracy, seconds } = finished;
    isFinished = true;
    noted.textContent = `accuracy over all messages: ${inWords(accuracy)}`;
    runs.add({ settings: settings!, accuracy, seconds, loss: history.loss });
    await (await store).forget([key]);
  }

  function stop(): void {
    if (state.take('pause')) worker.ask((lab) => lab.pause()).catch(fail);
  }

  /** A later checkpoint of a training takes the place of an earlier one: the same settings give the same numbers. */
  async function keep(kept: { key: string; step: number; checkpoint: Uint8Array }): Promise<void> {
    const known: Kept<KeptTraining> = await store;
    if (kept.step <= (known.all().get(kept.key)?.step ?? 0)) return;
    if (!settings) return;
    const { method, rank, seed, epochs } = settings;
    const about = `${method}${method === 'lora' ? ` of rank ${rank}` : ''}, seed ${seed}, epochs ${epochs}, on ${source}`;
    await known.put(kept.key, { step: kept.step, about, checkpoint: kept.checkpoint }).catch(() => {
      noted.textContent =
        'This browser has no room to keep the training: when the page is closed or reloaded, it is lost.';
    });
  }

  /** The button for the training of these settings, and a line for each of the others. */
  function showWhatIsKept(): void {
    void store.then((known) => {
      const areShown = controls.are(settings);
      const here = areShown ? known.all().get(key) : undefined;
      goOn.hidden = !here || state.now !== 'idle' || status.dataset.step !== '0';
      if (!state.allows('start')) return keptList.replaceChildren();
      const others = [...known.all()].filter(([other]) => !areShown || other !== key);
      keptList.replaceChildren(
        ...(settings && !areShown
          ? [element('p', {}, 'These settings are not the model’s: Train and Reset begin anew.')]
          : []),
        ...(here && !goOn.hidden
          ? [element('p', {}, `Kept: this training, after step ${here.step}. Go on continues it.`)]
          : []),
        ...others.map(([other, { about, step }]) =>
          element(
            'p',
            {},
            `Kept: a training of ${about}, after step ${step}; with those settings and messages it goes on. `,
            button('Forget it', () => void known.forget([other]).then(showWhatIsKept)),
          ),
        ),
      );
    });
  }

  /** Draws the curves, the map and the answer. Each part shows its own mistakes. */
  async function refresh(): Promise<void> {
    drawnAt = performance.now();
    const { loss, valid } = history;
    const both = [
      { name: 'training', points: loss },
      { name: 'validation', points: valid },
    ];
    picture.replaceChildren(curves('Loss', [...both, ...runs.pinned()], 'step'));
    if (state.allows('questions')) await Promise.all([map.refresh(), box.refresh()]);
  }
}

function inWords(accuracy: Accuracy): string {
  return Object.entries(accuracy)
    .map(([part, share]) => `${part} ${percent(share)}`)
    .join(', ');
}
