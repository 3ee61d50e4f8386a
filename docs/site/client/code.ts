/** Code that a reader runs: the buttons, and what it prints. */

import type { FromProgram } from '../worker/messages.ts';
import { button, element } from './dom.ts';
import { Program } from './program.ts';

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
 * @param program what to start, as the code is now
 * @param events `mistakeAt` a line, counted from 1; `ended` without a mistake or not
 */
export function runnable(
  name: string,
  verb: string,
  program: () => ConstructorParameters<typeof Program>[0],
  events: { mistakeAt(line: number): void; ended?(isRight: boolean): void },
): Runnable {
  const output = element('pre', {
    className: 'output',
    role: 'log',
    hidden: true,
    ariaLabel: `Output of ${name}`,
    tabIndex: 0,
  });
  let running: Program | undefined;
  const run = button(verb, start);
  const stop = button('Stop', () => running?.stop(), { hidden: true });

  function start(): void {
    running?.stop();
    output.hidden = false;
    output.classList.remove('mistake');
    output.textContent = '';
    run.disabled = true;
    stop.hidden = false;
    running = new Program(program(), hear);
  }

  function hear(message: FromProgram): void {
    if ('line' in message) output.append(`${message.line}\n`);
    else if ('mistake' in message) {
      output.classList.add('mistake');
      output.append(`${message.at ? `line ${message.at}: ` : ''}${message.mistake}\n`);
      if (message.at) events.mistakeAt(message.at);
    } else if ('ended' in message) {
      run.disabled = false;
      stop.hidden = true;
      if (message.ended === 130) output.append('Stopped.\n');
      else if (output.textContent === '') output.append('(It prints nothing.)\n');
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
  });
  editor.onkeydown = (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) start();
  };
  return editor;
}

export function selectLine(editor: HTMLTextAreaElement, line: number): void {
  const lines = editor.value.split('\n');
  const start = lines.slice(0, line - 1).join('\n').length + (line > 1 ? 1 : 0);
  editor.focus();
  editor.setSelectionRange(start, start + (lines[line - 1]?.length ?? 0));
}
