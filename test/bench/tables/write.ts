import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../../../lib/index.ts';
import { writeFileAtomically } from '../../../lib/io/files.ts';
import { command } from '../../support/program.ts';
import { MAJORS, machineLine, type Runtime, runtimesAt } from './machine.ts';
import { SECTIONS, type SectionName } from './sections.ts';

/**
 * `npm run bench -- tables --write FILE`: measures, and writes the tables into a page between the marks of each section. Each is
 * written as soon as it is measured, so that a run that was stopped goes on with `--only`.
 */

/** What a section is measured with. */
export interface Measuring {
  readonly runtimes: readonly Runtime[];
  /** The latest of them, which measures what is measured once. */
  readonly latest: Runtime;
  readonly threads: number;
  readonly weights?: string;
  /** The figures of one benchmark, measured in a process of its own, or why there are none. */
  bench<Result>(runtime: Runtime, name: string, options?: BenchOptions): Promise<Result | string>;
}

export interface BenchOptions {
  vectors?: 128 | 256;
  args?: readonly string[];
}

/** A section's table, and what it has no figures for. */
export interface Table {
  header: readonly string[];
  rows: readonly (readonly string[])[];
  missing: readonly string[];
}

const mark = (name: string) => `<!-- bench ${name} -->`;
const END = '<!-- end -->';

/** The page with another text between the marks of a section. @throws UserError if it has no such marks */
export function withSection(page: string, name: string, text: string): string {
  const start = page.indexOf(mark(name));
  const end = page.indexOf(END, start);
  if (start < 0 || end < 0)
    throw new UserError(`the page has no place for ${name}: no ${mark(name)} … ${END}`);
  return `${page.slice(0, start + mark(name).length)}\n${text}\n${page.slice(end)}`;
}

/** A section as the page has it: the machine, the table, what is missing. */
export function inMarkdown(machine: string, { header, rows, missing }: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const table = rows.length > 0 ? [line(header), line(header.map(() => '---')), ...rows.map(line), ''] : [];
  return [machine, '', ...table, ...missing.map((what) => `Not measured here: ${what}.`)]
    .join('\n')
    .trimEnd();
}

export interface TablesOptions {
  write: string;
  only?: string;
  nodes?: string;
  weights?: string;
  threads: number;
}

/** @throws UserError if a section or a Node is none, before anything is measured */
export async function tables({ write, only, nodes, weights, threads }: TablesOptions): Promise<object> {
  const all = Object.keys(SECTIONS) as SectionName[];
  const names = only?.split(',') ?? all;
  const wrong = names.find((name) => !(name in SECTIONS));
  if (wrong !== undefined) throw new UserError(`--only ${wrong}: sections are ${all.join(', ')}`);
  const page = readFileSync(write, 'utf8');
  for (const name of names) withSection(page, name, '');
  const runtimes = await runtimesAt(nodes?.split(',') ?? []);
  const latest = runtimes[runtimes.length - 1];
  const lacking = MAJORS.filter((major) => !runtimes.some((runtime) => runtime.major === major));
  const measuring: Measuring = { runtimes, latest, threads, weights, bench };
  const found: Record<string, Table> = {};
  for (const name of names as SectionName[]) {
    const machine = machineLine();
    const begin = performance.now();
    console.log(`\n${name}: ${machine}`);
    const table = await SECTIONS[name].measure(measuring);
    const others = SECTIONS[name].everyNode
      ? lacking.map((major) => `Node ${major}, whose path --nodes can give`)
      : [];
    found[name] = { ...table, missing: [...table.missing, ...others] };
    const which = SECTIONS[name].everyNode ? '' : `, Node ${latest.version}`;
    const text = inMarkdown(`${machine}${which}.`, found[name]);
    console.log(`${text}\n(${((performance.now() - begin) / 1000).toFixed(0)} s)`);
    await writeFileAtomically(write, withSection(readFileSync(write, 'utf8'), name, text));
  }
  return found;
}

async function bench<Result>(
  { path }: Runtime,
  name: string,
  { vectors, args = [] }: BenchOptions = {},
): Promise<Result | string> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  const file = join(folder, 'figures.json');
  try {
    const words = ['--import', 'tsx', 'test/bench/run.ts', name, '--json', file, ...args];
    const env = vectors ? { LLMS_VECTORS: `${vectors}` } : {};
    const { status, stderr } = await command(path, words, { env });
    if (status !== 0) return stderr.trim().split('\n').at(-1) || `it ended with ${status}`;
    return JSON.parse(readFileSync(file, 'utf8')) as Result;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
