import { useBackend } from 'llms-from-scratch-ts';
import { ask } from './ask.js';

globalThis.onmessage = async ({ data: { base, adapter } }) => {
  try {
    const { name: engine } = await useBackend('wasm');
    postMessage({ engine, ...(await ask(base, adapter)) });
  } catch (error) {
    postMessage({ error: String(error?.stack ?? error) });
  }
};
