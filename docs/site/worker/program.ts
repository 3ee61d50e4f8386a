/** A worker that runs one program, as a process does: a chapter as its command runs it, or an example of a page. */

import { modules } from 'site:modules';
import { Notebook } from '../../../chapters/common/notebook.ts';
import { setProgressDisplay } from '../../../chapters/common/progress.ts';
import { StreamProgress } from '../../../chapters/common/terminal.ts';
import { UserError } from '../../../lib/index.ts';
import { compareFigure, type Figure, loadFigures } from '../../../test/support/figures.ts';
import { process } from '../node/globals.ts';
import { isAsset, onRead, onWritten, writeBytes } from '../node/store.ts';
import { pause, resume } from '../node/yieldToRuntime.ts';
import { requireWebAssembly, withoutFolders } from './answering.ts';
import { checkExercise } from './check.ts';
import { lineOf, runExample } from './example.ts';
import { inWords, Lines } from './lines.ts';
import type { BookFigure, FromProgram, ToProgram } from './messages.ts';

const lines = new Lines((message) => postMessage(message));

/** Whatever is told comes after the lines before it. */
function tell(message: FromProgram): void {
  lines.flush();
  postMessage(message);
}

console.log = (...values: unknown[]) => lines.add({ line: values.map(inWords).join(' ') });
console.error = (...values: unknown[]) => {
  const texts = values.map((value) =>
    value instanceof Error ? (value.stack ?? inWords(value)) : inWords(value),
  );
  lines.add({ line: texts.join(' '), isError: true });
};

/** The chapter's terminal draws its progress here. */
StreamProgress.prototype.show = (line: string) => tell({ progress: line.trim() });
StreamProgress.prototype.clear = () => tell({ progress: '' });
setProgressDisplay({ show: (line) => tell({ progress: line.trim() }), clear: () => tell({ progress: '' }) });

const CHECKPOINT = /checkpoint[^/]*\.safetensors$/;

onRead((path) => {
  if (CHECKPOINT.test(path)) tell({ taken: path.slice(1) });
});
onWritten((file, bytes) => {
  if (file.startsWith('/tmp/') || file.startsWith('/hub/')) return;
  tell({ file: file.slice(1), bytes: bytes.slice() });
});

const WHY: Record<NonNullable<Figure['needs']>, string> = {
  'the-verdict': 'the book reads The Verdict',
  'instruction-data': "the book's instructions are needed: --data",
  sms: 'the SMS Spam Collection is needed (--data), and --seed 123',
  weights: "OpenAI's weights are needed",
  slow: '--slow',
};

/** Reports for each cell, as it is printed, what the book has. */
function compareCells(chapter: string): void {
  const name = `test/fixtures/figures/${chapter}.json`;
  const figures = new Map((isAsset(name) ? loadFigures(chapter) : []).map((figure) => [figure.cell, figure]));
  for (const method of ['print', 'printShort'] as const) {
    const original = Notebook.prototype[method] as (cell: number, ...rest: unknown[]) => void;
    Notebook.prototype[method] = function (this: Notebook, cell: number, ...rest: unknown[]) {
      original.call(this, cell, ...rest);
      const { printed } = this.cells.findLast((kept) => kept.cell === cell)!;
      tell({ cell, printed, book: bookFigure(figures.get(cell), printed) });
    };
  }
}

function bookFigure(figure: Figure | undefined, printed: string): BookFigure | undefined {
  if (!figure) return undefined;
  const { what, needs, differs } = figure;
  const why = differs ?? (needs && WHY[needs]);
  return { what, printed: figure.printed, difference: compareFigure(figure, printed), why };
}

async function main(message: ToProgram): Promise<number> {
  if ('run' in message) {
    if (!message.args.includes('js')) requireWebAssembly();
    const path = `/chapters/${message.run}/run.ts`;
    process.argv = ['node', path, ...message.args];
    process.env.npm_lifecycle_event = message.run;
    compareCells(message.run);
    await modules[path.slice(1)]();
    return process.exitCode ?? 0;
  }
  if ('exercise' in message) await checkExercise(message.code, message.folder, message.exercise);
  else if ('code' in message) await runExample(message.code, message.folder);
  return 0;
}

self.onmessage = async ({ data }: MessageEvent<ToProgram>) => {
  if ('signal' in data) {
    if (!process.emit(data.signal)) tell({ ended: 130 });
    return;
  }
  if ('rest' in data) return data.rest ? pause() : resume();
  for (const [path, bytes] of Object.entries(data.files)) writeBytes(path, bytes, false);
  try {
    tell({ ended: await main(data) });
  } catch (error) {
    fail(error);
  }
};

// As in Node: a promise that nobody waits for ends the program with its error.
self.onunhandledrejection = (event) => {
  event.preventDefault();
  fail(event.reason);
};

/** Anything can be thrown, `null` too. */
function fail(error: unknown): void {
  const at = lineOf(error);
  const isPlain = error instanceof UserError || at !== undefined;
  const text = isPlain
    ? (error as Error).message
    : error instanceof Error
      ? inWords(error)
      : `thrown: ${inWords(error)}`;
  tell({ mistake: withoutFolders(text), at });
  tell({ ended: 1 });
}
