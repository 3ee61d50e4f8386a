import { expect } from 'chai';
import {
  type Control,
  type Event,
  LabState,
  next,
  type State,
  TRANSITIONS,
  USABLE,
} from '../../docs/site/client/lab-states.ts';

const STATES = Object.keys(TRANSITIONS) as State[];
const EVENTS: Event[] = ['open', 'done', 'fail', 'train', 'compare', 'ask', 'pause'];
/** All that leads anywhere: every other pair of a state and an event means nothing. */
const DRAWN = `
  opening: done idle, fail failed
  failed: open opening, fail failed
  idle: open opening, train training, compare comparing, ask asking, fail failed
  training: pause pausing, done idle, fail failed
  comparing: pause pausing, done idle, fail failed
  asking: pause pausing, done idle, fail failed
  pausing: done idle, fail failed`;

describe('the states of the lab', () => {
  const drawn = new Map(
    DRAWN.trim()
      .split('\n')
      .map((line) => {
        const [state, ways] = line.trim().split(': ');
        return [state, new Map(ways.split(', ').map((way) => way.split(' ') as [string, string]))];
      }),
  );

  for (const state of STATES) {
    for (const event of EVENTS) {
      const to = drawn.get(state)?.get(event);
      it(`${state}, ${event}: ${to ?? 'nothing happens'}`, () => {
        expect(next(state, event)).to.equal(to);
      });
    }
  }

  it('every state can be left, and leads back to idle', () => {
    const reached = new Set<State>(['idle']);
    for (let before = 0; before < reached.size; ) {
      before = reached.size;
      for (const state of STATES)
        if (EVENTS.some((event) => reached.has(next(state, event)!))) reached.add(state);
    }
    expect([...reached]).to.have.members(STATES);
  });

  it('a worker can die in every state, and then nothing can be asked of it', () => {
    for (const state of STATES) expect(next(state, 'fail'), state).to.equal('failed');
    expect(USABLE.failed).to.deep.equal(['settings', 'start']);
  });

  it('settings, adapters and data are locked in every state in which the model is at work', () => {
    const locked: Control[] = ['settings', 'start', 'adapters', 'measures'];
    for (const state of ['opening', 'training', 'comparing', 'asking', 'pausing'] as const)
      for (const control of locked) expect(USABLE[state], state).to.not.include(control);
  });

  it('what can be paused has a button for it, and nothing else has', () => {
    for (const state of STATES)
      expect((USABLE[state] as readonly Control[]).includes('pause'), state).to.equal(
        next(state, 'pause') !== undefined,
      );
  });

  it('an event that means nothing is refused, and nobody is told of it', () => {
    const told: State[] = [];
    const lab = new LabState();
    lab.onChange = (state) => told.push(state);
    expect(lab.take('train')).to.equal(false); // while it opens
    expect(lab.take('done')).to.equal(true);
    expect([lab.take('train'), lab.take('train')]).to.deep.equal([true, false]); // a double click
    expect(lab.take('ask')).to.equal(false);
    expect([lab.take('pause'), lab.take('pause')]).to.deep.equal([true, false]);
    expect(lab.allows('pause')).to.equal(false);
    expect(lab.take('done')).to.equal(true);
    expect(lab.take('done')).to.equal(false); // a second answer changes nothing
    expect(told).to.deep.equal(['idle', 'training', 'pausing', 'idle']);
  });
});
