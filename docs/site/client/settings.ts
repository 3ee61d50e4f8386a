/** The settings of an experiment, which the address of the page carries: a link brings settings, and starts nothing. */

import type { Settings } from '../worker/lab-messages.ts';
import { choice, element, labelled } from './dom.ts';

export const METHODS = ['lora', 'last-block', 'head', 'full'] as const;
const RATES = { lora: 2e-3, 'last-block': 5e-4, head: 5e-3, full: 5e-4 };
const TARGETS: Record<string, string[]> = {
  'every Linear': [],
  'query and value': ['W_query', 'W_value'],
  attention: ['W_query', 'W_key', 'W_value', 'out_proj'],
};

/** The rule for a number. */
export interface Rule {
  whole?: boolean;
  least: number;
  most?: number;
  /** `least` itself will not do. */
  above?: boolean;
}

/** The number that a field holds, or the mistake in it. */
export function readNumber(name: string, text: string, { whole, least, most, above }: Rule): number | string {
  const value = Number(text);
  const isRight =
    text.trim() !== '' &&
    Number.isFinite(value) &&
    (!whole || Number.isSafeInteger(value)) &&
    (above ? value > least : value >= least) &&
    value <= (most ?? Number.POSITIVE_INFINITY);
  if (isRight) return value;
  const range = above ? `above ${least}` : most === undefined ? `from ${least}` : `from ${least} to ${most}`;
  const found = text.trim() === '' ? 'and is empty' : `not ${text}`;
  return `${name} must be a ${whole ? 'whole number' : 'number'} ${range}, ${found}`;
}

/** A field with its name before it, and behind it the mistake, as soon as there is one. */
function numberField(name: string, initial: string, rule: Rule, onChange: () => void) {
  const input = element('input', { type: 'number', value: initial, step: 'any', min: String(rule.least) });
  const place = labelled(name, input);
  const wrong = element('small', { className: 'mistake', role: 'alert', id: `${input.id}-wrong` });
  place.append(wrong);
  const read = (): number | undefined => {
    const value = readNumber(name, input.value, rule);
    wrong.textContent = typeof value === 'string' ? value : '';
    input.setAttribute('aria-invalid', String(typeof value === 'string'));
    input.setAttribute('aria-describedby', wrong.id);
    return typeof value === 'string' ? undefined : value;
  };
  input.oninput = () => {
    read();
    onChange();
  };
  return { input, place, read, rule };
}

/** @param changed called when the visitor has changed a setting */
export function settingsForm(changed: () => void) {
  const given = new URLSearchParams(location.hash.slice(1));
  /** A choice. A word of the link that is none of the choices is left aside. */
  const chosen = (name: string, values: readonly string[]) => {
    const wanted = given.get(name) ?? '';
    const select = choice(values, values.includes(wanted) ? wanted : values[0]);
    select.onchange = changed;
    return select;
  };
  const number = (key: string, name: string, initial: number, rule: Rule) =>
    numberField(name, given.get(key) ?? String(initial), rule, changed);
  const method = chosen('method', METHODS);
  const rate = () => RATES[method.value as Settings['method']];
  const rank = number('rank', 'Rank', 16, { whole: true, least: 1, most: 64 });
  const alpha = number('alpha', 'Alpha', 16, { least: 0, above: true });
  const scaling = chosen('scaling', ['alpha/r', 'rslora']);
  const targets = chosen('targets', Object.keys(TARGETS));
  const lr = number('lr', 'Learning rate', rate(), { least: 0, above: true });
  const seed = number('seed', 'Seed', 42, { whole: true, least: 0 });
  const epochs = number('epochs', 'Epochs', 3, { whole: true, least: 1, most: 1000 });
  const batchSize = number('batchSize', 'Batch size', 8, { whole: true, least: 1 });
  const numbers = [rank, alpha, lr, seed, epochs, batchSize];
  method.onchange = () => {
    lr.input.value = String(rate());
    lr.read();
    changed();
  };
  const controls = [method, scaling, targets, ...numbers.map(({ input }) => input)];
  return {
    place: element(
      'div',
      { className: 'controls' },
      ...[labelled('Method', method), rank.place, alpha.place, labelled('Scaling', scaling)],
      ...[labelled('Targets', targets), lr.place, seed.place, epochs.place, batchSize.place],
    ),
    controls,
    choose(value: (typeof METHODS)[number]): void {
      method.value = value;
      lr.input.value = String(rate());
    },
    /** A batch cannot have more messages than there are. */
    limitBatch(messages: number): void {
      batchSize.rule.most = messages;
    },
    /** The settings, written into the address of the page too; undefined if one is wrong, which is said beside it. */
    read(): Settings | undefined {
      const values = numbers.map((field) => field.read());
      const wrong = numbers.find((_, i) => values[i] === undefined);
      if (wrong) {
        wrong.input.focus();
        return undefined;
      }
      const [r, a, rateOfLearning, s, e, b] = values as number[];
      const settings: Settings = {
        method: method.value as Settings['method'],
        ...{ rank: r, alpha: a, lr: rateOfLearning, seed: s, epochs: e, batchSize: b },
        scaling: scaling.value as Settings['scaling'],
        targets: TARGETS[targets.value],
      };
      const link = { ...settings, targets: targets.value } as unknown as Record<string, string>;
      history.replaceState(null, '', `#${new URLSearchParams(link)}`);
      return settings;
    },
    /** Do the controls show these settings? */
    are(settings: Settings | undefined): boolean {
      if (!settings) return false;
      const now = {
        ...{ method: method.value, scaling: scaling.value, targets: TARGETS[targets.value] },
        ...{ rank: Number(rank.input.value), alpha: Number(alpha.input.value), lr: Number(lr.input.value) },
        ...{ seed: Number(seed.input.value), epochs: Number(epochs.input.value) },
        batchSize: Number(batchSize.input.value),
      };
      return (Object.keys(now) as (keyof Settings)[]).every(
        (key) => JSON.stringify(now[key]) === JSON.stringify(settings[key]),
      );
    },
  };
}
