/**
 * The states of the lab. A visitor presses buttons in any order; a change that is not drawn here does not happen.
 *
 *                       open                    open
 *          ┌────────┐ ────────▶ ┌─────────┐ ◀──────── ┌──────┐  ask   ┌────────┐
 *     ┌───▶│ failed │           │ opening │           │      │ ─────▶ │ asking │ ── pause ──┐
 *     │    └────────┘ ◀──────── └─────────┘ ────────▶ │ idle │ ◀───── └────────┘            │
 *     │                  fail                  done   │      │  done                        ▼
 *     │                                               │      │  train  ┌──────────┐     ┌─────────┐
 *     │                                               │      │ ──────▶ │ training │ ──▶ │ pausing │
 *     │                                               │      │ ◀────── └──────────┘     └─────────┘
 *     │                                               │      │  done             pause      ▲ │
 *     │                                               │      │ compare ┌───────────┐        │ │
 *     │                                               │      │ ──────▶ │ comparing │ ─ pause┘ │
 *     │                                               │      │ ◀────── └───────────┘          │
 *     │                                               └──────┘ ◀──────────── done ────────────┘
 *     └── fail: from every state, since a worker can die in every state
 *
 * opening    the engine starts, or a fresh model is made by the settings
 * failed     there is no model that could be trained: a line says why, and Reset or Train tries again
 * idle       a model is there, and waits
 * training   steps are taken; the model answers between two of them
 * comparing  one method after another is trained
 * asking     work that nobody else may disturb: accuracies, merging, another adapter, other messages
 * pausing    asked to stop: the step under way is taken to its end
 */

export const TRANSITIONS = {
  opening: { done: 'idle', fail: 'failed' },
  failed: { open: 'opening', fail: 'failed' },
  idle: { open: 'opening', train: 'training', compare: 'comparing', ask: 'asking', fail: 'failed' },
  training: { pause: 'pausing', done: 'idle', fail: 'failed' },
  comparing: { pause: 'pausing', done: 'idle', fail: 'failed' },
  asking: { pause: 'pausing', done: 'idle', fail: 'failed' },
  pausing: { done: 'idle', fail: 'failed' },
} as const;

export type State = keyof typeof TRANSITIONS;
export type Event = 'open' | 'done' | 'fail' | 'train' | 'compare' | 'ask' | 'pause';

/** The controls that a visitor can use. All others are locked. */
export const USABLE = {
  opening: [],
  failed: ['settings', 'start'],
  idle: ['settings', 'start', 'adapters', 'questions', 'measures'],
  training: ['pause', 'questions'],
  comparing: ['pause', 'questions'],
  asking: ['pause'],
  pausing: [],
} as const satisfies Record<State, readonly Control[]>;

/**
 * `settings`: what is to be trained, and the engine · `start`: Train, Step, Reset, Compare · `adapters`: which one answers,
 * files, the user's data · `questions`: the message, the map · `measures`: accuracies, merging
 */
export type Control = 'settings' | 'start' | 'pause' | 'adapters' | 'questions' | 'measures';

/** The next state; undefined if the event means nothing in this state. */
export function next(state: State, event: Event): State | undefined {
  return (TRANSITIONS[state] as Partial<Record<Event, State>>)[event];
}

/** The state that the lab is in, and who is told of each change. */
export class LabState {
  #state: State = 'opening';
  onChange: (state: State) => void = () => {};

  get now(): State {
    return this.#state;
  }

  /** Takes an event. False if the event means nothing now: then nothing happens, and nothing may be done for it. */
  take(event: Event): boolean {
    const following = next(this.#state, event);
    if (!following) return false;
    this.#state = following;
    this.onChange(following);
    return true;
  }

  allows(control: Control): boolean {
    return (USABLE[this.#state] as readonly Control[]).includes(control);
  }
}
