import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { io, UserError } from '../../../lib/index.ts';
import type { Result } from './one-run.ts';

/**
 * Finished runs, one JSON object on each line of a file: a line is appended when a run is finished, so that stopping the
 * program, or killing it, loses only the run under way.
 */

export interface RunRecord {
  /** Everything that the result depends on: a run with the same is not made again. */
  run: object;
  result: Result;
}

export class Records {
  private readonly path: string;
  private readonly results = new Map<string, Result>();

  private constructor(path: string) {
    this.path = path;
  }

  /** Reads the runs of a folder. @throws UserError if a line is damaged */
  static async open(folder: string): Promise<Records> {
    const records = new Records(join(folder, 'runs.jsonl'));
    await records.read();
    return records;
  }

  get(run: object): Result | undefined {
    return this.results.get(JSON.stringify(run));
  }

  async add(record: RunRecord): Promise<void> {
    if (io.kindOfPath(this.path) === 'nothing') await io.writeFileAtomically(this.path, '');
    await appendFile(this.path, `${JSON.stringify(record)}\n`);
    this.keep(record);
  }

  private keep({ run, result }: RunRecord): void {
    this.results.set(JSON.stringify(run), result);
  }

  private async read(): Promise<void> {
    if (io.kindOfPath(this.path) === 'nothing') return;
    const text = new TextDecoder().decode(await io.readFileOrExplain(this.path, 'the finished runs'));
    const lines = text.split('\n');
    // What follows the last line's end is nothing, or half a line of a program that was killed.
    if (lines.pop() !== '')
      await io.writeFileAtomically(this.path, lines.map((line) => `${line}\n`).join(''));
    for (const [i, line] of lines.entries()) {
      const record = parsed(line);
      if (!isRecord(record)) {
        throw new UserError(
          `${this.path}, line ${i + 1}, is damaged: take it out, and that run is made again`,
        );
      }
      this.keep(record);
    }
  }
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** Is it what a finished run leaves, with the numbers that the table shows? */
function isRecord(value: unknown): value is RunRecord {
  const { run, result } = Object(value);
  if (typeof run !== 'object' || run === null) return false;
  const { trained, all, seconds, accuracy } = Object(result);
  const { train, valid, test } = Object(accuracy);
  return [trained, all, seconds, train, valid, test].every((number) => typeof number === 'number');
}
