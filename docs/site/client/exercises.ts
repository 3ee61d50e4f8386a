/** The exercises of a page: an editor, the tests, a hint, and after the hint the solution. The browser remembers them. */

import { asItWas, editorOf, runnable, selectLine } from './code.ts';
import { element } from './dom.ts';

export function wakeExercises(): void {
  for (const exercise of document.querySelectorAll<HTMLElement>('.exercise')) wakeExercise(exercise);
}

function wakeExercise(exercise: HTMLElement): void {
  const { folder, number, beginning } = exercise.dataset as Record<string, string>;
  const name = exercise.ariaLabel!;
  const [hint, solution] = exercise.querySelectorAll('details');
  const written = kept(`written ${folder} ${number}`);
  const solved = kept(`solved ${folder} ${number}`);
  const mark = element('span', { className: 'solved', role: 'status', ariaLabel: `State of ${name}` });
  const program = () => ({ code: editor.value, folder, exercise: Number(number), files: {} });
  const { run, stop, output, start } = runnable(name, 'Check', program, {
    mistakeAt: (line) => selectLine(editor, line),
    ended(isRight) {
      if (!isRight) return;
      solved.set('yes');
      show();
    },
  });
  const editor = editorOf(name, written.get() ?? beginning, start);
  const again = asItWas((mine) => {
    const before = editor.value;
    editor.value = mine ?? beginning;
    written.set(mine);
    return before;
  });
  editor.oninput = () => {
    written.set(editor.value);
    again.reset();
  };
  hint.ontoggle = show;
  exercise.prepend(editor, element('div', { className: 'controls' }, run, again, stop, mark), output);
  show();

  function show(): void {
    mark.textContent = solved.get() ? '✓ solved' : '';
    if (hint.open || solved.get()) solution.hidden = false;
  }
  solution.hidden = !solved.get();
}

/** A word that this browser keeps; where it keeps nothing (a private window), there is none. */
function kept(key: string) {
  return {
    get(): string | undefined {
      try {
        return localStorage.getItem(key) ?? undefined;
      } catch {
        return undefined;
      }
    },
    set(value: string | undefined): void {
      try {
        if (value === undefined) localStorage.removeItem(key);
        else localStorage.setItem(key, value);
      } catch {
        // It lasts as long as the page.
      }
    },
  };
}
