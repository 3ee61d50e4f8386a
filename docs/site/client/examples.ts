/** The examples of a page: each can be run, or edited and run. */

import { asItWas, editorOf, runnable, selectLine } from './code.ts';
import { button, element } from './dom.ts';

export function wakeExamples(): void {
  for (const example of document.querySelectorAll<HTMLElement>('.example')) wakeExample(example);
}

function wakeExample(example: HTMLElement): void {
  const shown = example.querySelector('pre')!;
  const original = shown.textContent!;
  const name = example.ariaLabel!;
  let editor: HTMLTextAreaElement | undefined;
  const program = () => ({ code: editor?.value ?? original, folder: example.dataset.folder!, files: {} });
  const { run, stop, output, start } = runnable(name, 'Run', program, {
    mistakeAt: (line) => editor && selectLine(editor, line),
  });
  const edit = button('Edit', open);
  const again = asItWas((written) => {
    const before = editor!.value;
    editor!.value = written ?? original;
    return before;
  });
  example.append(element('div', { className: 'controls' }, run, edit, stop), output);

  function open(): void {
    editor = editorOf(name, original, start);
    editor.oninput = again.reset;
    shown.hidden = true;
    shown.after(editor);
    edit.replaceWith(again);
    editor.focus();
  }
}
