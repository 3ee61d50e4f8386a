import { UserError } from '../errors.ts';
import type { Module } from '../nn/module.ts';
import type { Optimizer } from '../optim/optimizer.ts';
import { noGrad } from '../tensor/autograd.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { loadTensors, numbersOf, saveTensors } from './checkpoint.ts';
import { kindOfPath, moveFile, pathIn, sha256 } from './files.ts';
import { openSafetensors } from './safetensors-file.ts';

/**
 * Checkpoints of a training: the weights that train, the optimiser's memory, and whatever else the run has to know to go on,
 * in one file. The one before it is kept until the next is whole:
 *
 *      checkpoint-next.safetensors     being written
 *      checkpoint.safetensors          the newest, complete
 *      checkpoint-before.safetensors   the one before it
 */
const NEXT = 'checkpoint-next.safetensors';
const LAST = 'checkpoint.safetensors';
const BEFORE = 'checkpoint-before.safetensors';

/** The weights that train, and what the optimiser remembers of them. */
export interface Trained {
  /** Of its parameters those are kept that are not frozen. */
  model: Module;
  /** What it remembers of them, such as AdamW's two moments, is kept whole. */
  optimizer: Optimizer;
  /** Weights kept beside those that train: those of the best epoch so far. */
  best?: Pick<Optimizer, 'stateDict' | 'loadStateDict'>;
}

/** A checkpoint that was read. */
export interface Checkpoint<About> {
  /** What the run has noted beside the numbers. */
  about: About;
  /** Puts weights and optimiser back. @throws UserError if they are another model's */
  restore(trained: Trained): void;
}

/**
 * Writes a checkpoint into the folder.
 * @param about plain data: numbers, NaN and infinities too, texts, lists, objects, and lists of 32-bit words
 * @throws UserError if it cannot be written; those that are there then stay whole
 */
export async function writeCheckpoint<About>(folder: string, trained: Trained, about: About): Promise<void> {
  const tensors = {
    ...withPrefix('model.', weightsThatTrain(trained.model)),
    ...withPrefix('optimizer.', trained.optimizer.stateDict()),
    ...withPrefix('best.', trained.best?.stateDict() ?? {}),
  };
  const run = stringify(about);
  const [next, last, before] = [NEXT, LAST, BEFORE].map((name) => pathIn(folder, name));
  await saveTensors(next, tensors, { metadata: { run, sha256: digest(run, tensors) } });
  if (kindOfPath(last) !== 'nothing') await moveFile(last, before);
  await moveFile(next, last);
}

/** The newest whole checkpoint in the folder. Damaged ones are reported through `print`. */
export function findCheckpoint<About>(
  folder: string,
  print: (line: string) => void,
): Checkpoint<About> | undefined {
  for (const name of [LAST, BEFORE]) {
    const path = pathIn(folder, name);
    if (kindOfPath(path) === 'nothing') continue;
    try {
      return readCheckpoint(path);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      print(`${error.message}: ${name === LAST ? 'trying the one before' : 'it is left aside'}`);
    }
  }
  return undefined;
}

/** @throws UserError if the file is damaged */
function readCheckpoint<About>(path: string): Checkpoint<About> {
  const { run, sha256: expected } = metadataOf(path);
  const tensors = loadTensors(path, 'the checkpoint');
  if (expected !== digest(run, tensors)) {
    throw new UserError(`${path} is damaged, its contents do not fit its SHA-256`);
  }
  return {
    about: parse(run) as About,
    restore({ model, optimizer, best }) {
      fillWeights(model, withoutPrefix('model.', tensors), path);
      optimizer.loadStateDict(withoutPrefix('optimizer.', tensors));
      best?.loadStateDict(withoutPrefix('best.', tensors));
    },
  };
}

/**
 * What the newest checkpoint in the folder says of its run, without its numbers; undefined if there is none, or it is damaged.
 * @throws UserError if a folder has the place of one
 */
export function readAboutCheckpoint<About>(folder: string): About | undefined {
  const inTheWay = [LAST, BEFORE, NEXT].find((name) => kindOfPath(pathIn(folder, name)) === 'folder');
  if (inTheWay)
    throw new UserError(
      `${pathIn(folder, inTheWay)} is a folder, and a checkpoint is written there: give it another name`,
    );
  for (const name of [LAST, BEFORE]) {
    try {
      return parse(metadataOf(pathIn(folder, name)).run) as About;
    } catch {
      // missing or damaged: the one before it may be whole
    }
  }
  return undefined;
}

function metadataOf(path: string): Record<string, string> {
  const file = openSafetensors(path, 'the checkpoint');
  file.close();
  return file.metadata;
}

/** The parameters of a model that are not frozen: nothing else changes in training. */
function weightsThatTrain(model: Module): Record<string, Tensor> {
  const trained = [...model.namedParameters()].filter(([, parameter]) => parameter.requiresGrad);
  return Object.fromEntries(trained);
}

/** @throws UserError if the file holds other parameters than those that train here */
function fillWeights(model: Module, saved: Record<string, Tensor>, path: string): void {
  const trained = weightsThatTrain(model);
  const sizes = (weights: Record<string, Tensor>) =>
    Object.entries(weights).map(([name, { shape }]) => `${name} [${shape.join(', ')}]`);
  const [found, expected] = [new Set(sizes(saved)), new Set(sizes(trained))];
  const [other] = [...found, ...expected].filter((size) => !(found.has(size) && expected.has(size)));
  if (other)
    throw new UserError(
      `${path} is of another model: ${other} does not fit; give the options it was made with`,
    );
  noGrad(() => {
    for (const [name, parameter] of Object.entries(trained)) parameter.copyInPlace(saved[name]);
  });
}

/** Of the text and of every tensor, by name. */
function digest(text: string, tensors: Record<string, Tensor>): string {
  const hashes = Object.keys(tensors)
    .sort()
    .map((name) => {
      const { buffer, byteOffset, byteLength } = numbersOf(tensors[name]).data;
      return `${name} ${sha256(new Uint8Array(buffer, byteOffset, byteLength))}`;
    });
  return sha256(new TextEncoder().encode([text, ...hashes].join('\n')));
}

function withPrefix(prefix: string, tensors: Record<string, Tensor>): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [prefix + name, tensor]));
}

function withoutPrefix(prefix: string, tensors: Record<string, Tensor>): Record<string, Tensor> {
  const own = Object.entries(tensors).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(own.map(([name, tensor]) => [name.slice(prefix.length), tensor]));
}

// JSON has no NaN, no infinities and no typed arrays; a history may have the first, a generator has the last.

function stringify(value: unknown): string {
  return JSON.stringify(value, (_key, item) => {
    if (typeof item === 'number' && !Number.isFinite(item)) return { $number: String(item) };
    return item instanceof Uint32Array ? { $words: [...item] } : item;
  });
}

function parse(text: string): unknown {
  return JSON.parse(text, (_key, item) => {
    if (item?.$number !== undefined) return Number(item.$number);
    return item?.$words !== undefined ? Uint32Array.from(item.$words) : item;
  });
}
