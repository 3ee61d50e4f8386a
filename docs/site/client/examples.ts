/** The examples of a page: each can be run, or edited and run. */

import type { FromProgram } from '../worker/messages.ts';
import { button, element } from './dom.ts';
import { Program } from './program.ts';

export function wakeExamples(): void {
  for (const example of document.querySelectorAll<HTMLElement>('.example')) wakeExample(example);
}

function wakeExample(example: HTMLElement): void {
  const shown = example.querySelector('pre')!;
  const original = shown.textContent!;
  const output = element('pre', {
    className: 'output',
    role: 'log',
    hidden: true,
    ariaLabel: `Output of ${example.ariaLabel}`,
    tabIndex: 0,
  });
  let editor: HTMLTextAreaElement | undefined;
  let program: Program | undefined;
  const run = button('Run', () => start());
  const edit = button('Edit', () => toggleEditor());
  const stop = button('Stop', () => program?.stop(), { hidden: true });
  example.append(element('div', { className: 'controls' }, run, edit, stop), output);

  function toggleEditor(): void {
    if (editor) {
      editor.remove();
      editor = undefined;
      shown.hidden = false;
      edit.textContent = 'Edit';
      return;
    }
    editor = element('textarea', {
      value: original,
      rows: original.split('\n').length + 1,
      spellcheck: false,
      ariaLabel: `Code of ${example.ariaLabel}`,
    });
    // The Tab key leaves the editor, as everywhere on the page.
    editor.onkeydown = (event) => {
      if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) start();
    };
    shown.hidden = true;
    shown.after(editor);
    editor.focus();
    edit.textContent = 'As it was';
  }

  function start(): void {
    program?.stop();
    output.hidden = false;
    output.classList.remove('mistake');
    output.textContent = '';
    run.disabled = true;
    stop.hidden = false;
    const code = editor?.value ?? original;
    program = new Program({ code, folder: example.dataset.folder!, files: {} }, hear);
  }

  function hear(message: FromProgram): void {
    if ('line' in message) output.append(`${message.line}\n`);
    else if ('mistake' in message) {
      output.classList.add('mistake');
      output.append(`${message.at ? `line ${message.at}: ` : ''}${message.mistake}\n`);
      if (editor && message.at) selectLine(editor, message.at);
    } else if ('ended' in message) {
      run.disabled = false;
      stop.hidden = true;
      if (message.ended === 130) output.append('Stopped.\n');
      else if (output.textContent === '') output.append('(It prints nothing.)\n');
    }
  }
}

function selectLine(editor: HTMLTextAreaElement, line: number): void {
  const lines = editor.value.split('\n');
  const start = lines.slice(0, line - 1).join('\n').length + (line > 1 ? 1 : 0);
  editor.focus();
  editor.setSelectionRange(start, start + (lines[line - 1]?.length ?? 0));
}
