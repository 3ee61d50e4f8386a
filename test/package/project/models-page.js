/** Hands a base and an adapter to a worker as Files, and sends what it answers to the test's server. */
const report = (answer) => fetch('/report', { method: 'POST', body: JSON.stringify(answer) });
const files = async (folder, ...names) => {
  const contents = names.map(async (name) => (await fetch(`/${folder}/${name}`)).blob());
  return Object.fromEntries(
    (await Promise.all(contents)).map((blob, i) => [names[i], new File([blob], names[i])]),
  );
};
const worker = new Worker(new URL('./models-worker.js', import.meta.url), { type: 'module' });
worker.onmessage = ({ data }) => report(data);
worker.onerror = ({ message }) => report({ error: `the worker does not start: ${message}` });
worker.postMessage({
  base: await files('tiny', 'config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json'),
  adapter: await files('adapter', 'adapter_config.json', 'adapter_model.safetensors'),
});
