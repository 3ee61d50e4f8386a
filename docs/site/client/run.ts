/** The panel of a chapter: what its command prints, cell by cell beside the book's figures, with its plots and files. */

import type { BookFigure, FromProgram } from '../worker/messages.ts';
import { button, download, element, labelled } from './dom.ts';
import { openStore } from './kept.ts';
import { Printed } from './printed.ts';
import { Program } from './program.ts';

/** Ctrl-C ends a step, writes a checkpoint, and says so; a second press on Stop does not wait for that. */
const PATIENCE_MS = 60_000;
/** After so long a silence the clock shows that the program is alive. */
const SILENT_MS = 2000;

export function wake(place: HTMLElement): void {
  const chapter = place.dataset.chapter!;
  const args = element('input', {
    type: 'text',
    placeholder: '--help',
    spellcheck: false,
    autocomplete: 'off',
  });
  args.value = optionsInLink();
  const given = element('input', { type: 'file', multiple: true });
  const output = element('div', {
    className: 'output',
    role: 'log',
    tabIndex: 0,
    ariaLabel: 'What it prints',
  });
  const progress = element('output', { className: 'progress', ariaLabel: 'Progress' });
  const files = element('p', { className: 'files' });
  const run = button('Run', () => void start(), { className: 'main' });
  const pause = button('Pause', () => setResting(!isResting), { disabled: true });
  const stop = button('Stop', () => halt(), { disabled: true });
  const resume = button('Go on', () => void start(true), { hidden: true });
  const kept = openStore<Uint8Array>(chapter);
  const printed = new Printed(output);

  let program: Program | undefined;
  let isResting = false;
  let isStopping = false;
  /** Checkpoints that this run has read or written: when it has come to its end, they are not needed any more. */
  let used = new Set<string>();
  let heardAt = 0;
  let startedAt = 0;
  /** The last report, which the clock stands behind. */
  let said = '';
  let cell: { number: number; box: HTMLElement; text: HTMLElement } | undefined;

  place.replaceChildren(
    element('h2', {}, `Run it here: npm run ${chapter}`),
    element('div', { className: 'controls' }, labelled('Options', args), labelled('Your files', given)),
    element('div', { className: 'controls' }, run, pause, stop, resume),
    ...(place.dataset.before ? [element('p', {}, place.dataset.before)] : []),
    progress,
    output,
    files,
  );
  void kept.then((store) => {
    if (store.all().size === 0 || program) return;
    resume.hidden = false;
    progress.textContent = 'An earlier training can go on from where it was.';
  });

  async function start(goesOn = false): Promise<void> {
    setRunning(true);
    const words =
      args.value.match(/"[^"]*"|'[^']*'|\S+/g)?.map((word) => word.replace(/^(["'])(.*)\1$/, '$2')) ?? [];
    if (goesOn && !words.includes('--resume')) words.push('--resume');
    history.replaceState(
      null,
      '',
      args.value.trim() ? `#run=${encodeURIComponent(args.value)}` : location.pathname,
    );
    program?.end();
    printed.clear();
    files.replaceChildren();
    cell = undefined;
    used = new Set();
    startedAt = performance.now();
    say('Starting …');
    try {
      // As on a disk: the files of an earlier run are there, and --resume decides what they mean.
      const mounted = Object.fromEntries((await kept).all());
      for (const file of given.files ?? []) mounted[file.name] = new Uint8Array(await file.arrayBuffer());
      program = new Program({ run: chapter, args: words, files: mounted }, hear);
    } catch (error) {
      printed.line(`error: ${(error as Error).message}`, true);
      void end(1);
    }
  }

  function halt(): void {
    if (isStopping) {
      program?.end();
      return;
    }
    isStopping = true;
    stop.textContent = 'Stop at once';
    say('Stopping: what was trained is saved after the step under way …');
    setResting(false);
    program?.stop(PATIENCE_MS);
  }

  function say(text: string): void {
    said = text;
    heardAt = performance.now();
    progress.textContent = text;
  }

  /** While a long step says nothing, the seconds go on. */
  setInterval(() => {
    if (!stop.disabled && !isResting && performance.now() - heardAt > SILENT_MS) {
      const seconds = Math.floor((performance.now() - startedAt) / 1000);
      progress.textContent = [said || 'Running …', `${seconds} s`].join(' · ');
    }
  }, 1000);

  function setRunning(isRunning: boolean): void {
    run.disabled = isRunning;
    pause.disabled = stop.disabled = !isRunning;
    resume.hidden = true;
    isResting = isStopping = false;
    pause.textContent = 'Pause';
    stop.textContent = 'Stop';
  }

  function setResting(rest: boolean): void {
    isResting = rest;
    pause.textContent = rest ? 'Resume' : 'Pause';
    program?.rest(rest);
  }

  function hear(message: FromProgram): void {
    if ('line' in message) printed.line(message.line, message.isError);
    else if ('lines' in message) for (const { line, isError } of message.lines) printed.line(line, isError);
    else if ('cell' in message)
      printed.afterThat(() => closeLine(message.cell, message.printed, message.book));
    else if ('progress' in message) say(message.progress);
    else if ('taken' in message) used.add(message.taken);
    else if ('file' in message) void keepFile(message.file, message.bytes);
    else if ('mistake' in message) printed.line(`error: ${message.mistake}`, true);
    else void end(message.ended);
    heardAt = performance.now();
  }

  /** The line before is a cell's. */
  function closeLine(number: number, printed: string, book: BookFigure | undefined): void {
    const line = output.lastElementChild!;
    if (cell?.number === number && cell.box === line.previousElementSibling) {
      cell.text.append(line.textContent!);
      line.remove();
    } else {
      const text = element('pre', {}, line.textContent!);
      const box = element('div', { className: 'cell' }, text);
      line.replaceWith(box);
      cell = { number, box, text };
    }
    cell.box.dataset.cell = String(number);
    cell.box.dataset.printed = printed;
    cell.box.querySelector('.verdict')?.remove();
    if (book) cell.box.append(verdict(book));
  }

  async function keepFile(path: string, bytes: Uint8Array): Promise<void> {
    if (/checkpoint[^/]*\.safetensors$/.test(path)) {
      used.add(path);
      const store = await kept;
      return store.put(path, bytes).catch(() => {
        printed.line(
          'This browser has no room to keep the checkpoint: when the page is closed or reloaded, it is lost.',
        );
      });
    }
    files.querySelector(`[data-path="${CSS.escape(path)}"]`)?.remove();
    const link = download(path, bytes);
    link.dataset.path = path;
    if (path.endsWith('.svg')) {
      const picture = element('img', { src: link.href, alt: `Plot ${path}` });
      // An address without a type is not displayed.
      picture.src = URL.createObjectURL(
        new Blob([bytes as Uint8Array<ArrayBuffer>], { type: 'image/svg+xml' }),
      );
      printed.afterThat(() => output.append(picture));
    }
    files.append(link, ' ');
  }

  async function end(code: number): Promise<void> {
    printed.draw();
    setRunning(false);
    const store = await kept;
    if (code === 0) await store.forget(used);
    resume.hidden = store.all().size === 0 || code === 0;
    say(code === 0 ? 'Done.' : code === 130 ? 'Stopped.' : 'Ended with an error.');
  }
}

/** The words of a link after `#run=`; none, if the link is cut in the middle of a character. */
function optionsInLink(): string {
  try {
    return decodeURIComponent(/^#run=(.*)/.exec(location.hash)?.[1] ?? '');
  } catch {
    return '';
  }
}

/** Ours against the book's. */
function verdict({ what, printed, difference, why }: BookFigure): HTMLElement {
  if (difference === undefined)
    return element('p', { className: 'verdict equal' }, `✓ equal to the book’s: ${what}`);
  return element(
    'details',
    { className: 'verdict' },
    element('summary', {}, `The book’s: ${what}${why ? ` (${why})` : ''}`),
    element('pre', {}, printed),
  );
}
