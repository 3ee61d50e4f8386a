/**
 * What a chapter prints, as its notebook prints it: under the notebook's headings, cell by cell. Everything is
 * kept as well, for `--json FILE` and for `npm run figures`, which compares the cells with the book.
 */

export interface PrintedCell {
  /** The number of the notebook's cell. */
  cell: number;
  printed: string;
}

export class Notebook {
  readonly chapter: string;
  readonly cells: PrintedCell[] = [];
  /** Named results: shapes, counts, losses, accuracies, seconds, backend. */
  readonly figures: Record<string, unknown> = {};
  private readonly write: (line: string) => void;
  private readonly writeResult: (line: string) => void;

  /** @param quiet write only what came of it */
  constructor(chapter: string, write: (line: string) => void = console.log, { quiet = false } = {}) {
    this.chapter = chapter;
    this.write = quiet ? () => {} : write;
    this.writeResult = write;
  }

  /** A heading of the notebook. */
  section(title: string): void {
    this.write(`\n${title}\n${'─'.repeat(title.length)}`);
  }

  /** A line or two of explanation that the notebook does not print. */
  note(text: string): void {
    this.write(text);
  }

  /** What came of the run, which `--quiet` prints too: a table, where files are, what is not as it was asked for. */
  result(text: string): void {
    this.writeResult(text);
  }

  /**
   * Prints what the notebook's cell prints: the values with spaces between, as Python's print does. Several calls
   * add up.
   */
  print(cell: number, ...values: unknown[]): void {
    const printed = values.map(String).join(' ');
    this.write(printed);
    this.keep(cell, printed);
  }

  /** The same for something long: the reader sees a short form of it, and `--json` has the whole. */
  printShort(cell: number, whole: unknown, short: string): void {
    this.write(short);
    this.keep(cell, String(whole));
  }

  private keep(cell: number, printed: string): void {
    const last = this.cells.at(-1);
    if (last?.cell === cell) last.printed += `\n${printed}`;
    else this.cells.push({ cell, printed });
  }

  /** Keeps a named result for `--json`. */
  figure(name: string, value: unknown): void {
    this.figures[name] = value;
  }

  toJSON(): { chapter: string; figures: Record<string, unknown>; cells: PrintedCell[] } {
    return { chapter: this.chapter, figures: this.figures, cells: this.cells };
  }
}

/** A shape as PyTorch prints it: `torch.Size([8, 109])`. */
export function torchSize(shape: readonly number[]): string {
  return `torch.Size([${shape.join(', ')}])`;
}
