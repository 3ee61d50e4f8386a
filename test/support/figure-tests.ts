import { expect } from 'chai';
import { Notebook } from '../../chapters/common/notebook.ts';
import { compareFigure, compareKnownDifference, type Figure, loadFigures } from './figures.ts';

/** Paths to data that is not in this repository; its figures are skipped where one is not given. */
const DATA: Record<NonNullable<Figure['needs']>, string> = {
  'the-verdict': 'LLMS_THE_VERDICT',
  'instruction-data': 'LLMS_INSTRUCTION_DATA',
  sms: 'LLMS_SMS',
  weights: 'LLMS_GPT2_WEIGHTS',
  slow: 'LLMS_SLOW',
};

/** Where the environment says that a file lies. */
export function dataPath(data: keyof typeof DATA): string | undefined {
  return process.env[DATA[data]] || undefined;
}

/**
 * A test for each figure of a chapter: what `run` prints for the cell, against the book.
 * @param without what `run` does not use, even where the environment names it
 */
export function testFigures(
  chapter: string,
  run: (notebook: Notebook) => void | Promise<void>,
  without: readonly Figure['needs'][] = [],
): void {
  describe(`the book's figures: ${chapter}`, () => {
    const printed = new Map<number, string>();
    before(async function () {
      this.timeout(300_000); // a whole chapter runs
      const notebook = new Notebook(chapter, () => {});
      await run(notebook);
      for (const cell of notebook.cells) printed.set(cell.cell, cell.printed);
    });

    for (const figure of loadFigures(chapter)) {
      const { cell, what, needs, differs } = figure;
      const missing = needs && (without.includes(needs) || !dataPath(needs));
      const title = `cell ${cell}: ${what}`;
      if (missing) it.skip(`${title} (set ${DATA[needs]} to its path)`);
      else {
        const compare = differs ? compareKnownDifference : compareFigure;
        it(differs ? `${title} (${differs})` : title, () => {
          expect(compare(figure, printed.get(cell) ?? '(nothing)')).to.equal(undefined);
        });
      }
    }
  });
}
