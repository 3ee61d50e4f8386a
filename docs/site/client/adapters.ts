/** Saving, loading and switching between adapters; and the user's own messages. */

import { unzipSync, zipSync } from 'fflate';
import type { Lab } from '../worker/lab-messages.ts';
import { withClock } from './clock.ts';
import { button, choice, download, element, labelled } from './dom.ts';
import type { LabWorker } from './lab-worker.ts';

const CONFIG = 'adapter_config.json';
const TENSORS = 'adapter_model.safetensors';
const NONE = 'none';

export interface ShelfEvents {
  /** Another adapter answers. */
  changed(): void;
  /** Other messages were given, so many to train on: the model has to be made anew. */
  dataGiven(count: number): void;
}

/** @param asking takes the model for the work alone; see lab.ts */
export function adapterShelf(
  worker: LabWorker<Lab>,
  asking: <T>(work: () => Promise<T>) => Promise<T>,
  events: ShelfEvents,
) {
  const select = choice([NONE], NONE);
  const said = element('p', { role: 'status', ariaLabel: 'Notice' });
  const links = element('span', {});
  const save = button('Download adapter', () => void guarded('Writing the adapter', saveIt));
  const bring = element('input', { type: 'file', accept: '.zip,.json,.safetensors', multiple: true });
  const data = element('input', { type: 'file' });
  /** The adapter that answers. */
  let active = NONE;

  /** Does the work while nobody else uses the model, and says here if something goes wrong. The file can then be given again. */
  async function guarded(text: string, work: () => Promise<void>): Promise<void> {
    try {
      said.textContent = '';
      await asking(() => withClock(said, text, work));
    } catch (error) {
      said.textContent = (error as Error).message;
      select.value = active;
    } finally {
      bring.value = data.value = '';
    }
  }

  /** PEFT's folder, as a zip. */
  async function saveIt(): Promise<void> {
    const { files, notes } = await worker.ask((lab) => lab.adapterFiles());
    const inFolder = Object.entries(files).map(([name, bytes]) => [`adapter/${name}`, bytes]);
    const zip = zipSync(Object.fromEntries(inFolder), { level: 0 });
    const link = download('adapter.zip', zip);
    links.replaceChildren(link);
    said.textContent = notes.join(' ');
    link.click();
  }

  async function bringIn(files: readonly File[]): Promise<void> {
    const found = new Map<string, Uint8Array>();
    let name = `adapter ${names().length}`;
    for (const file of files) {
      const bytes = new Uint8Array(await file.arrayBuffer());
      if (!file.name.endsWith('.zip')) found.set(file.name, bytes);
      else {
        name = file.name.replace(/\.zip$/, '') || name;
        const inside = unzip(file.name, bytes);
        for (const [path, content] of Object.entries(inside)) found.set(path.split('/').at(-1)!, content);
      }
    }
    if (!found.has(CONFIG) || !found.has(TENSORS)) {
      throw new Error(
        `An adapter is a zip of PEFT’s folder, or its two files ${CONFIG} and ${TENSORS} together`,
      );
    }
    while (name === 'default' || names().includes(name)) name += ' again';
    await worker.ask((lab) => lab.loadAdapter({ name, files: Object.fromEntries(found) }));
    show([...names().filter((known) => known !== NONE), name], name);
    said.textContent = `${name} answers now.`;
  }

  const names = () => [...select.options].map(({ value }) => value);

  function show(all: readonly string[], name: string | null): void {
    select.replaceChildren(...[...all, NONE].map((each) => element('option', { value: each }, each)));
    choose(name ?? NONE);
  }

  function choose(name: string): void {
    select.value = active = name;
    links.replaceChildren(); // they lead to a file of the adapter before
  }

  bring.onchange = async () => {
    await guarded('Reading the adapter', () => bringIn([...(bring.files ?? [])]));
    events.changed();
  };
  select.onchange = async () => {
    const name = select.value;
    await guarded('Choosing', async () => {
      await worker.ask((lab) => lab.setAdapter({ name: name === NONE ? null : name }));
      choose(name);
    });
    events.changed();
  };
  data.onchange = async () => {
    const [file] = data.files ?? [];
    if (!file) return;
    let count = 0;
    await guarded(`Reading ${file.name}, ${(file.size / 1e6).toFixed(1)} MB`, async () => {
      const bytes = new Uint8Array(await file.arrayBuffer());
      count = (await worker.ask((lab) => lab.useData({ name: file.name, bytes }))).messages;
    });
    if (count > 0) events.dataGiven(count);
  };

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
    controls: [select, save, bring, data],
    /** The adapters that are on the model, and the one that answers. */
    show,
    /** Another one answers: the one that trains. */
    choose,
  };
}

function unzip(name: string, bytes: Uint8Array): Record<string, Uint8Array> {
  try {
    return unzipSync(bytes);
  } catch {
    throw new Error(`${name} is not a readable zip file; it may be damaged or cut short`);
  }
}
