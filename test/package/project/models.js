import { readFileSync } from 'node:fs';
import { ask } from './ask.js';

/** A base and an adapter in Node: from their folders, and from Files as a worker is given them. */
const [base, adapter] = process.argv.slice(2);
const files = (folder, ...names) =>
  Object.fromEntries(names.map((name) => [name, new Blob([readFileSync(`${folder}/${name}`)])]));

const onDisk = await ask(base, adapter);
const fromFiles = await ask(
  files(base, 'config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json'),
  files(adapter, 'adapter_config.json', 'adapter_model.safetensors'),
);
console.log(JSON.stringify({ onDisk, fromFiles }));
