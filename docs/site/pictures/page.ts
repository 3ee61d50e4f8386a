/** A picture wakes: its controls, the worker that draws it again, and what belongs together when one points at it. */

import { button, choice, element, labelled } from '../client/dom.ts';
import { defaultsOf, type Input, PICTURES, type Picture, type PictureName } from './pictures.ts';
import type { Asked, Shown } from './worker.ts';

export function wake(place: HTMLElement): void {
  const name = place.dataset.picture as PictureName;
  const { controls, mini }: Picture = PICTURES[name];
  const picture = place.querySelector<HTMLElement>('.picture')!;
  const status = element('output', { className: 'progress', ariaLabel: 'Progress' });
  const given: Input = defaultsOf(name);
  const fields = element('div', { className: 'controls' });
  let worker: Worker | undefined;
  let isDrawing = false;
  let isStale = false;

  for (const [key, control] of Object.entries(controls)) {
    if (control.label) fields.append(field(key, control.label, control));
  }
  picture.before(fields, status);
  if (mini) {
    fields.hidden = true;
    const load = button('Load mini (14.5 MB), for your own text', () => {
      load.remove();
      fields.hidden = false;
      redraw();
    });
    picture.before(load);
  }

  function field(key: string, label: string, { value, min, max, step, of }: Picture['controls'][string]) {
    if (of) {
      const select = choice(of, String(value));
      select.onchange = () => set(key, select.value);
      return labelled(label, select);
    }
    const type = { string: 'text', number: 'range', boolean: 'checkbox' }[typeof value as string]!;
    const input = element('input', {
      name: key,
      type,
      min,
      max,
      step,
      autocomplete: 'off',
      spellcheck: false,
    });
    if (typeof value === 'boolean') input.checked = value;
    else input.value = String(value);
    const now = element('span', {}, type === 'range' ? input.value : '');
    input.oninput = () => {
      if (type === 'range') now.textContent = input.value;
      if (type === 'checkbox') set(key, input.checked);
      else set(key, type === 'range' ? input.valueAsNumber : input.value);
    };
    const made = labelled(label, input);
    made.append(now);
    return made;
  }

  /** What is set by a click in the picture is forgotten when a control changes: it belonged to another picture. */
  function set(key: string, value: Input[string]): void {
    for (const [other, { label, value: first }] of Object.entries(controls)) {
      if (!label) given[other] = first;
    }
    given[key] = value;
    redraw();
  }

  /** One picture at a time: while it is drawn the next one waits, and only the last counts. */
  function redraw(): void {
    isStale = true;
    if (isDrawing) return;
    isDrawing = true;
    isStale = false;
    if (!worker) {
      worker = new Worker(new URL('pictures.js', import.meta.url), { type: 'module' });
      worker.onmessage = ({ data }: MessageEvent<Shown>) => hear(data);
      worker.onerror = () => hear({ mistake: 'the picture could not be loaded' });
    }
    worker.postMessage({ name, input: given } as Asked);
  }

  function hear(shown: Shown): void {
    if ('loading' in shown) {
      status.textContent = shown.loading;
      return;
    }
    status.textContent = 'mistake' in shown ? shown.mistake : '';
    if ('html' in shown) show(shown.html);
    isDrawing = false;
    if (isStale) redraw();
  }

  /** Puts it in the place of the last one, and the focus where it was. */
  function show(html: string): void {
    const focused = picture.contains(document.activeElement) ? document.activeElement : undefined;
    const at = [...picture.querySelectorAll('button')].indexOf(focused as HTMLButtonElement);
    picture.innerHTML = html;
    if (focused) picture.querySelectorAll('button')[at]?.focus();
  }

  picture.onclick = ({ target }) => {
    const clicked = (target as Element).closest<HTMLElement>('[data-set]');
    if (!clicked || fields.hidden) return;
    const [key, value] = [clicked.dataset.set!, clicked.dataset.value!];
    set(key, typeof given[key] === 'number' ? Number(value) : value);
    const control = fields.querySelector<HTMLInputElement>(`[name="${key}"]`);
    if (control) control.value = value;
  };
  picture.onpointerover = link;
  picture.addEventListener('focusin', link);

  /** All that has the same link stands out, and what it says is said. */
  function link({ target }: Event): void {
    const pointed = (target as Element).closest<HTMLElement>('[data-link]')?.dataset.link;
    if (pointed === undefined) return;
    for (const each of picture.querySelectorAll<HTMLElement>('[data-link]'))
      each.classList.toggle('linked', each.dataset.link === pointed);
    const words = picture.querySelector<HTMLElement>(`[data-link="${pointed}"][data-says]`)?.dataset.says;
    const said = picture.querySelector('.said');
    if (words && said) said.textContent = words;
  }
}
