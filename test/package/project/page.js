/** Trains in a worker and sends what it tells to the test's server. */
const report = (answer) => fetch('/report', { method: 'POST', body: JSON.stringify(answer) });
const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
worker.onmessage = ({ data }) => report(data);
worker.onerror = ({ message }) => report({ error: `the worker does not start: ${message}` });
worker.postMessage({ steps: Number(document.body.dataset.steps) });
