import { setBackends } from '../../../lib/backend/dispatch.ts';

/** In place of lib/backend/select.node.ts: of the engines that it chooses from, the tests want the plain loops only. */
export function useBackend(name: 'js'): void {
  if (name !== 'js') throw new Error(`${name} is not in this bundle`);
  setBackends([]);
}
