/** The panel of a chapter: what its command prints, cell by cell beside the book's figures, with its plots and files. */

import type { BookFigure, FromProgram } from '../worker/messages.ts';
import { button, download, element, labelled } from './dom.ts';
import { openStore } from './kept.ts';
import { Program } from './program.ts';

export function wake(place: HTMLElement): void {
  const chapter = place.dataset.chapter!;
  const args = element('input', {
    type: 'text',
    placeholder: '--help',
    spellcheck: false,
    autocomplete: 'off',
  });
  args.value = decodeURIComponent(/^#run=(.*)/.exec(location.hash)?.[1] ?? '');
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
  const resume = button('Go on', () => void start(['--resume']), { hidden: true });
  const kept = openStore(chapter);

  let program: Program | undefined;
  let isResting = false;
  let cell: { number: number; box: HTMLElement; text: HTMLElement } | undefined;

  place.replaceChildren(
    element('h2', {}, `Run it here: npm run ${chapter}`),
    element('div', { className: 'controls' }, labelled('Options', args), labelled('Your files', given)),
    element('div', { className: 'controls' }, run, pause, stop, resume),
    progress,
    output,
    files,
  );
  void kept.then((store) => {
    if (!store.has()) return;
    resume.hidden = false;
    progress.textContent = 'An earlier training can go on from where it was.';
  });

  async function start(more: string[] = []): Promise<void> {
    program?.stop();
    const words =
      args.value.match(/"[^"]*"|'[^']*'|\S+/g)?.map((word) => word.replace(/^(["'])(.*)\1$/, '$2')) ?? [];
    history.replaceState(
      null,
      '',
      words.length > 0 ? `#run=${encodeURIComponent(args.value)}` : location.pathname,
    );
    const mounted = more.length > 0 ? (await kept).files() : {};
    for (const file of given.files ?? []) mounted[file.name] = new Uint8Array(await file.arrayBuffer());
    output.replaceChildren();
    files.replaceChildren();
    cell = undefined;
    progress.textContent = 'Starting …';
    program = new Program({ run: chapter, args: [...words, ...more], files: mounted }, hear);
    setRunning(true);
  }

  function halt(): void {
    progress.textContent = 'Stopping …';
    setResting(false);
    program?.stop();
  }

  function setRunning(isRunning: boolean): void {
    run.disabled = isRunning;
    pause.disabled = stop.disabled = !isRunning;
    resume.hidden = true;
    isResting = false;
    pause.textContent = 'Pause';
  }

  function setResting(rest: boolean): void {
    isResting = rest;
    pause.textContent = rest ? 'Resume' : 'Pause';
    program?.rest(rest);
  }

  function hear(message: FromProgram): void {
    if ('line' in message) printLine(message.line, message.isError);
    else if ('cell' in message) closeLine(message.cell, message.printed, message.book);
    else if ('progress' in message) progress.textContent = message.progress;
    else if ('file' in message) void keepFile(message.file, message.bytes);
    else if ('mistake' in message) printLine(`error: ${message.mistake}`, true);
    else void end(message.ended);
  }

  /** Lines of a cell are reported first, and then that they were the cell's. */
  function printLine(line: string, isError = false): void {
    const isAtEnd = output.scrollTop + output.clientHeight >= output.scrollHeight - 40;
    output.append(element('pre', isError ? { className: 'mistake' } : {}, line));
    if (isAtEnd) output.scrollTop = output.scrollHeight;
  }

  function closeLine(number: number, printed: string, book: BookFigure | undefined): void {
    const line = output.lastElementChild!;
    if (cell?.number === number && cell.box === line.previousElementSibling) {
      cell.text.append(`\n${line.textContent}`);
      line.remove();
    } else {
      const text = element('pre', {}, line.textContent ?? '');
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
    if (/checkpoint[^/]*\.safetensors$/.test(path)) return (await kept).put(path, bytes);
    files.querySelector(`[data-path="${path}"]`)?.remove();
    const link = download(path, bytes);
    link.dataset.path = path;
    if (path.endsWith('.svg')) {
      const picture = element('img', { src: link.href, alt: `Plot ${path}` });
      // An address without a type is not displayed.
      picture.src = URL.createObjectURL(
        new Blob([bytes as Uint8Array<ArrayBuffer>], { type: 'image/svg+xml' }),
      );
      output.append(picture);
    }
    files.append(link, ' ');
  }

  async function end(code: number): Promise<void> {
    setRunning(false);
    const store = await kept;
    if (code === 0) await store.clear();
    else resume.hidden = !store.has();
    progress.textContent = code === 0 ? 'Done.' : code === 130 ? 'Stopped.' : 'Ended with an error.';
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
