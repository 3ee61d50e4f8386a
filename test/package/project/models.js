import { readFileSync } from 'node:fs';
import { classify, generate, loadAdapter, loadModel } from 'llms-from-scratch-ts/models';

/** A base, an adapter and a tokeniser: from a folder, and from Files as a worker is given them. */
const [base, adapter] = process.argv.slice(2);
const files = (folder, ...names) =>
  Object.fromEntries(names.map((name) => [name, new Blob([readFileSync(`${folder}/${name}`)])]));
const text = 'the cat sat';

const loaded = await loadModel(base);
const continued = generate(loaded, text, { maxNewTokens: 4 });
await loadAdapter(loaded, adapter);
const [onDisk] = classify(loaded, [text], { labels: ['ham', 'spam'] });

const handed = await loadModel(
  files(base, 'config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json'),
);
await loadAdapter(handed, files(adapter, 'adapter_config.json', 'adapter_model.safetensors'));
const [fromFiles] = classify(handed, [text], { labels: ['ham', 'spam'] });
console.log(JSON.stringify({ continued, onDisk, fromFiles }));
