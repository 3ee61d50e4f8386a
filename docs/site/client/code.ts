/** Code that a reader runs: the buttons, and what it prints. */

import type { FromProgram } from '../worker/messages.ts';
import { button, element } from './dom.ts';
import { Printed } from './printed.ts';
import { Program } from './program.ts';

/** An example has nothing to save: if it does not answer, it is ended. */
const PATIENCE_MS = 150;

export interface Runnable {
  /** Run and Stop, and the place for what is printed. */
  run: HTMLButtonElement;
  stop: HTMLButtonElement;
  output: HTMLElement;
  start(): void;
}

/**
 * @param name what the code is called, such as `Example 1`
 * @param verb on the button
 * @param program the program to start, with the code as it stands
 * @param events `mistakeAt` a line, counted from 1; `ended` without a mistake or not
 */
export function runnable(
  name: string,
  verb: string,
  program: () => ConstructorParameters<typeof Program>[0],
  events: { mistakeAt(line: number): void; ended?(isRight: boolean): void },
): Runnable {
  const output = element('div', {
    className: 'output',
    role: 'log',
    hidden: true,
    ariaLabel: `Output of ${name}`,
    tabIndex: 0,
  });
  const printed = new Printed(output);
  let running: Program | undefined;
  const run = button(verb, start);
  const stop = button('Stop', () => running?.stop(PATIENCE_MS), { hidden: true });

  function start(): void {
    running?.end();
    output.hidden = false;
    output.classList.remove('mistake');
    printed.clear();
    run.disabled = true;
    stop.hidden = false;
    running = new Program(program(), hear);
  }

  function hear(message: FromProgram): void {
    if ('line' in message) printed.line(message.line);
    else if ('lines' in message) for (const { line } of message.lines) printed.line(line);
    else if ('mistake' in message) {
      output.classList.add('mistake');
      printed.line(`${message.at ? `line ${message.at}: ` : ''}${message.mistake}`);
      if (message.at) events.mistakeAt(message.at);
    } else if ('ended' in message) {
      printed.draw();
      run.disabled = false;
      stop.hidden = true;
      if (message.ended === 130) printed.line('Stopped.');
      else if (output.textContent === '') printed.line('(It prints nothing.)');
      printed.draw();
      events.ended?.(message.ended === 0);
    }
  }

  return { run, stop, output, start };
}

/** A place to write code in. The Tab key leaves it, as everywhere on the page; Ctrl-Enter runs what it holds. */
export function editorOf(name: string, code: string, start: () => void): HTMLTextAreaElement {
  const editor = element('textarea', {
    value: code,
    rows: code.split('\n').length + 1,
    spellcheck: false,
    ariaLabel: `Code of ${name}`,
    className: 'code',
  });
  editor.onkeydown = (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) start();
  };
  return editor;
}

/**
 * A button that puts back the first text, and then becomes a button that undoes this, until the reader writes again.
 * @param swap puts back the text that it is given, or the first text if it is given none; returns the text that stood there
 */
export function asItWas(swap: (written?: string) => string): HTMLButtonElement & { reset(): void } {
  let written: string | undefined;
  const made = button('As it was', () => {
    const before = swap(written);
    written = written === undefined ? before : undefined;
    made.textContent = written === undefined ? 'As it was' : 'Undo: as I wrote it';
  });
  return Object.assign(made, {
    reset() {
      written = undefined;
      made.textContent = 'As it was';
    },
  });
}

export function selectLine(editor: HTMLTextAreaElement, line: number): void {
  const lines = editor.value.split('\n');
  const start = lines.slice(0, line - 1).join('\n').length + (line > 1 ? 1 : 0);
  editor.focus();
  editor.setSelectionRange(start, start + (lines[line - 1]?.length ?? 0));
}
