import { setBackends } from './dispatch.ts';

export interface BackendChoice {
  name: 'js' | 'wasm' | 'gpu';
  mode?: string;
  threads?: number;
  /** Why this one: shown to the user. */
  why: string;
}

export async function useBackend(
  _name: 'auto' | 'wasm' | 'gpu' | 'js',
  _options: { threads?: number; gpuMode?: string } = {},
): Promise<BackendChoice> {
  setBackends([]);
  return { name: 'js', why: 'asked for' };
}
