import { existsSync, readFileSync } from 'node:fs';
import { arch, availableParallelism, cpus, loadavg } from 'node:os';
import { UserError } from '../../../lib/index.ts';
import { command } from '../../support/program.ts';

/** The machine and the runtimes of a measurement, by name. */

export interface Runtime {
  path: string;
  version: string;
  /** 24 of 24.21.0. */
  major: number;
}

/** The versions of Node that the tables are about. */
export const MAJORS = [20, 22, 24, 26];

/** The programs `node` at these paths, this one if none is given, the oldest first. @throws UserError if one cannot be run */
export async function runtimesAt(paths: readonly string[]): Promise<Runtime[]> {
  const found: Runtime[] = [];
  for (const path of paths.length > 0 ? paths : [process.execPath]) {
    const ended = await command(path, ['--version']).catch(() => undefined);
    const [, version, major] = /^v((\d+)\.\S+)/.exec(ended?.stdout ?? '') ?? [];
    if (!version)
      throw new UserError(
        `${path} is no Node that can be run: --nodes names paths, with commas between them`,
      );
    found.push({ path, version, major: Number(major) });
  }
  return found.sort((a, b) => a.major - b.major);
}

/** Processor, what vectors it has, date and load. */
export function machineLine(): string {
  const flags = existsSync('/proc/cpuinfo') ? readFileSync('/proc/cpuinfo', 'utf8') : '';
  const has = [
    ['avx2', 'AVX2'],
    ['avx512f', 'AVX-512'],
  ].flatMap(([flag, name]) => (new RegExp(`\\b${flag}\\b`).test(flags) ? name : []));
  const vectors = flags ? has.join(', ') || 'no AVX2' : arch();
  const date = new Date().toISOString().slice(0, 16).replace('T', ' ');
  const load = loadavg()[0].toFixed(1);
  return `${cpus()[0].model}, ${availableParallelism()} cores, ${vectors}; ${date} UTC, load average ${load}`;
}
