/** Elements of the page, made in one expression. */

type Child = Node | string;

/** An element with its properties (those that it does not have become attributes) and children. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  properties: Record<string, unknown> = {},
  ...children: Child[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key in made) (made as unknown as Record<string, unknown>)[key] = value;
    else made.setAttribute(key, String(value));
  }
  made.append(...children);
  return made;
}

export function button(
  text: string,
  onclick: () => void,
  properties: Record<string, unknown> = {},
): HTMLButtonElement {
  return element('button', { type: 'button', textContent: text, onclick, ...properties });
}

let lastId = 0;

/** A control with its label before it. */
export function labelled(text: string, control: HTMLElement): HTMLElement {
  control.id ||= `control-${++lastId}`;
  return element('span', { className: 'field' }, element('label', { htmlFor: control.id }, text), control);
}

/** A select with these choices. */
export function choice(values: readonly string[], chosen: string): HTMLSelectElement {
  const select = element('select', {}, ...values.map((value) => element('option', { value }, value)));
  select.value = chosen;
  return select;
}

/** A link that saves bytes as a file. */
export function download(name: string, bytes: Uint8Array): HTMLAnchorElement {
  const url = URL.createObjectURL(new Blob([bytes as Uint8Array<ArrayBuffer>]));
  return element('a', { href: url, download: name.split('/').at(-1), textContent: name, className: 'file' });
}
