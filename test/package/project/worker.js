import { train } from './train.js';

globalThis.onmessage = async ({ data: { steps } }) => {
  try {
    postMessage({ ...(await train(steps)), isolated: crossOriginIsolated, collector: 'gc' in globalThis });
  } catch (error) {
    postMessage({ error: String(error?.stack ?? error) });
  }
};
