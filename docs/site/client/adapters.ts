/** Saving, loading and switching between adapters; and the user's own messages. */

import { unzipSync, zipSync } from 'fflate';
import { button, choice, download, element, labelled } from './dom.ts';
import type { LabWorker } from './lab-worker.ts';

const CONFIG = 'adapter_config.json';
const TENSORS = 'adapter_model.safetensors';
const NONE = 'none';

export interface ShelfEvents {
  changed(): void;
  dataGiven(data: { name: string; bytes: Uint8Array }): void;
}

export function adapterShelf(worker: LabWorker, events: ShelfEvents) {
  const select = choice([NONE], NONE);
  const said = element('p', { role: 'status', ariaLabel: 'Notice' });
  const links = element('span', {});
  const save = button('Download adapter', () => void guarded(saveIt));
  const bring = element('input', { type: 'file', accept: '.zip,.json,.safetensors', multiple: true });
  const data = element('input', { type: 'file' });
  const handedIn: string[] = [];

  async function guarded(work: () => Promise<void>): Promise<void> {
    try {
      said.textContent = '';
      await work();
    } catch (error) {
      said.textContent = (error as Error).message;
    }
  }

  /** PEFT's folder, as a zip. */
  async function saveIt(): Promise<void> {
    const { files, notes } = await worker.ask('adapterFiles', {});
    const inFolder = Object.entries(files).map(([name, bytes]) => [`adapter/${name}`, bytes]);
    const zip = zipSync(Object.fromEntries(inFolder), { level: 0 });
    const link = download('adapter.zip', zip);
    links.replaceChildren(link);
    said.textContent = notes.join(' ');
    link.click();
  }

  async function bringIn(files: readonly File[]): Promise<void> {
    const found = new Map<string, Uint8Array>();
    let name = `adapter ${handedIn.length + 1}`;
    for (const file of files) {
      const bytes = new Uint8Array(await file.arrayBuffer());
      if (!file.name.endsWith('.zip')) found.set(file.name, bytes);
      else {
        name = file.name.replace(/\.zip$/, '');
        const inside = unzip(file.name, bytes);
        for (const [path, content] of Object.entries(inside)) found.set(path.split('/').at(-1)!, content);
      }
    }
    if (!found.has(CONFIG) || !found.has(TENSORS)) {
      throw new Error(
        `An adapter is a zip of PEFT's folder, or its two files ${CONFIG} and ${TENSORS} together`,
      );
    }
    while (name === 'default' || handedIn.includes(name)) name += ' again';
    await worker.ask('loadAdapter', { name, files: Object.fromEntries(found) });
    handedIn.push(name);
    fill(select.querySelector('[value="default"]') !== null);
    select.value = name;
    said.textContent = `${name} answers now.`;
    events.changed();
  }

  function fill(isTrained: boolean): void {
    const names = [...(isTrained ? ['default'] : []), ...handedIn, NONE];
    select.replaceChildren(...names.map((name) => element('option', { value: name }, name)));
  }

  bring.onchange = () => void guarded(() => bringIn([...(bring.files ?? [])]));
  select.onchange = () =>
    void guarded(async () => {
      await worker.ask('setAdapter', { name: select.value === NONE ? null : select.value });
      events.changed();
    });
  data.onchange = () =>
    void guarded(async () => {
      const [file] = data.files ?? [];
      if (file) events.dataGiven({ name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) });
    });

  return {
    place: element(
      'div',
      {},
      element('div', { className: 'controls' }, labelled('Adapter', select), save, links),
      element(
        'div',
        { className: 'controls' },
        labelled('From a file', bring),
        labelled('Your own data', data),
      ),
      element(
        'p',
        {},
        'From a file: a zip of PEFT’s folder, or its two files. Your own data: SMSSpamCollection or its zip; it stays in this page.',
      ),
      said,
    ),
    /** A fresh model: the adapter that trains is called `default`, and the loaded ones are on it too. */
    began(isLora: boolean): void {
      fill(isLora);
      select.value = isLora ? 'default' : NONE;
      save.disabled = !isLora && handedIn.length === 0;
    },
    show(name: string): void {
      if (select.querySelector(`[value="${name}"]`)) select.value = name;
    },
  };
}

function unzip(name: string, bytes: Uint8Array): Record<string, Uint8Array> {
  try {
    return unzipSync(bytes);
  } catch {
    throw new Error(`${name} is not a readable zip file; it may be damaged or cut short`);
  }
}
