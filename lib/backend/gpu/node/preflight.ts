import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { GpuMode } from '../protocol.ts';

const ADAPTER_TIMEOUT_MS = 10_000;

/**
 * Looks at a mode in Node without starting it: most machines have no GPU, and should not spend a second at each start on
 * finding that out. Returns the reason why the mode cannot run, if there is one.
 */
export function preflight(mode: GpuMode, env: NodeJS.ProcessEnv = process.env): string | undefined {
  if (mode === 'webgl2') return 'it is for browsers';
  if (!isInstalled('gpu.js')) return 'the package gpu.js is not installed';
  if (mode === 'webgpu' && !isInstalled('webgpu')) return 'the package webgpu is not installed';
  if (mode === 'webgpu' && !mayHaveVulkan(env)) return 'no graphics driver (Vulkan) is installed';
  if (mode === 'webgpu' && !adapterAnswers(env)) return 'the graphics drivers here offer no WebGPU adapter';
  if (mode === 'headlessgl' && !headlessGlIsBuilt()) return 'the optional package gl is not built here';
  if (mode === 'headlessgl' && process.platform === 'linux' && !env.DISPLAY) return 'there is no X display';
  return undefined;
}

function isInstalled(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name);
    return true;
  } catch {
    return false;
  }
}

function headlessGlIsBuilt(): boolean {
  try {
    const folder = dirname(createRequire(import.meta.url).resolve('gl/package.json'));
    return existsSync(join(folder, 'build', 'Release', 'webgl.node'));
  } catch {
    return false;
  }
}

/**
 * Is a Vulkan driver installed? WebGPU, asked without one, prints several lines of its own. On systems other than
 * Linux the driver is part of the system.
 */
function mayHaveVulkan(env: NodeJS.ProcessEnv): boolean {
  if (process.platform !== 'linux') return true;
  const named = env.VK_DRIVER_FILES ?? env.VK_ICD_FILENAMES;
  if (named) return named.split(delimiter).some((path) => existsSync(path));
  return manifestFolders(env).some((folder) => {
    try {
      return readdirSync(folder).some((file) => file.endsWith('.json'));
    } catch {
      return false;
    }
  });
}

/**
 * Do the drivers offer a graphics card? A separate process asks them: drivers without a card, and WebGPU with them, print
 * several lines of their own on stderr, which this process could not keep back.
 */
function adapterAnswers(env: NodeJS.ProcessEnv): boolean {
  if ((globalThis as { navigator?: { gpu?: unknown } }).navigator?.gpu) return true;
  const webgpu = pathToFileURL(createRequire(import.meta.url).resolve('webgpu')).href;
  const program = `const { create } = await import(${JSON.stringify(webgpu)});
    process.exit((await create([]).requestAdapter()) ? 0 : 1);`;
  const child = ['--input-type=module', '--eval', program];
  return (
    spawnSync(process.execPath, child, { env, stdio: 'ignore', timeout: ADAPTER_TIMEOUT_MS }).status === 0
  );
}

/** Where drivers leave a file about themselves, as the Vulkan loader's documentation lists it. */
function manifestFolders(env: NodeJS.ProcessEnv): string[] {
  const list = (value: string | undefined, otherwise: string[]) => value?.split(delimiter) ?? otherwise;
  const roots = [
    ...list(env.XDG_CONFIG_HOME, [join(homedir(), '.config')]),
    ...list(env.XDG_CONFIG_DIRS, ['/etc/xdg']),
    '/etc',
    '/usr/local/etc',
    ...list(env.XDG_DATA_HOME, [join(homedir(), '.local/share')]),
    ...list(env.XDG_DATA_DIRS, ['/usr/local/share', '/usr/share']),
  ];
  const folders = roots.map((root) => join(root, 'vulkan', 'icd.d'));
  return [...folders, ...(env.VK_ADD_DRIVER_FILES?.split(delimiter).map((file) => join(file, '..')) ?? [])];
}
