import { spawn } from 'node:child_process';

const ROOT = new URL('../../', import.meta.url);

export interface Ended {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** Runs a program of this project as npm does. Several that are started before the first is waited for share the cores. */
export function program(path: string, args: readonly string[], input = ''): Promise<Ended> {
  return command(process.execPath, ['--import', 'tsx', path, ...args], { input });
}

/** Runs any program, in the repository's folder. Rejects if there is none of that name. */
export function command(
  name: string,
  args: readonly string[],
  { input = '', env = {} }: { input?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<Ended> {
  const child = spawn(name, args, { cwd: ROOT, env: { ...process.env, ...env } });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
  child.stdin.on('error', () => {}); // it has ended without reading
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, stdout, stderr }));
  });
}
