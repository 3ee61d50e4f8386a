/**
 * Checkpoints of a training run: everything that changes in it, in one safetensors file. It is written beside the old
 * one and then renamed, and the one before is kept, so that at every moment there is one to go on from.
 */

import { existsSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { io, type nn, noGrad, type optim, type Tensor, UserError } from '../../lib/index.ts';
import type { SavedPlace } from './training-place.ts';

const LAST = 'checkpoint.safetensors';
const BEFORE = 'checkpoint-before.safetensors';
/** Complete, but not yet under its name. */
const NEXT = 'checkpoint-next.safetensors';

/** The weights that train, and what the optimiser remembers of them. */
export interface Trained {
  model: nn.Module;
  optimizer: optim.Optimizer;
}

/** The facts that go into a checkpoint beside the tensors. */
export interface AboutRun {
  place: SavedPlace;
  /** The process that wrote it. */
  process: string;
  /** The engine it ran on: on another one the last digits differ. */
  engine: string;
  /** The settings that a run must share with this one to go on from here, by the names that a user knows. */
  settings: Record<string, unknown>;
}

export interface Checkpoint extends AboutRun {
  /** Puts weights and optimiser back. @throws UserError if they are another model's */
  restore(trained: Trained): void;
}

/**
 * Writes a checkpoint into the folder.
 * @throws UserError if it cannot be written; the ones that are there then stay whole
 */
export async function saveCheckpoint(folder: string, trained: Trained, about: AboutRun): Promise<void> {
  const tensors = {
    ...withPrefix('model.', weightsThatTrain(trained.model)),
    ...withPrefix('optimizer.', trained.optimizer.stateDict()),
  };
  const text = stringify(about);
  const metadata = { run: text, sha256: digest(text, tensors) };
  const [next, last, before] = [NEXT, LAST, BEFORE].map((name) => join(folder, name));
  await io.saveTensors(next, tensors, { metadata });
  if (existsSync(last)) await rename(last, before);
  await rename(next, last);
}

/** The newest whole checkpoint in the folder. Damaged ones are reported through `print`. */
export function findCheckpoint(folder: string, print: (line: string) => void): Checkpoint | undefined {
  for (const name of [LAST, BEFORE]) {
    const path = join(folder, name);
    if (!existsSync(path)) continue;
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
function readCheckpoint(path: string): Checkpoint {
  const { metadata } = io.openSafetensors(path, 'the checkpoint');
  const tensors = io.loadTensors(path, 'the checkpoint');
  if (metadata.sha256 !== digest(metadata.run, tensors)) {
    throw new UserError(`${path} is damaged, its contents do not fit its SHA-256`);
  }
  return {
    ...(parse(metadata.run) as AboutRun),
    restore({ model, optimizer }) {
      fillWeights(model, withoutPrefix('model.', tensors), path);
      optimizer.loadStateDict(withoutPrefix('optimizer.', tensors));
    },
  };
}

/** The parameters of a model that are not frozen: nothing else changes in training. */
function weightsThatTrain(model: nn.Module): Record<string, Tensor> {
  const trained = [...model.namedParameters()].filter(([, parameter]) => parameter.requiresGrad);
  return Object.fromEntries(trained);
}

/** @throws UserError if the file holds other parameters than those that train here */
function fillWeights(model: nn.Module, saved: Record<string, Tensor>, path: string): void {
  const trained = weightsThatTrain(model);
  const sizes = (weights: Record<string, Tensor>) =>
    Object.keys(weights)
      .sort()
      .map((name) => `${name} [${weights[name].shape.join(', ')}]`);
  const [found, expected] = [sizes(saved), sizes(trained)];
  if (found.join() !== expected.join()) {
    const other =
      found.find((size) => !expected.includes(size)) ?? expected.find((size) => !found.includes(size));
    throw new UserError(
      `${path} is of another model: ${other} does not fit; give the options it was made with`,
    );
  }
  noGrad(() => {
    for (const [name, parameter] of Object.entries(trained)) parameter.copyInPlace(saved[name]);
  });
}

/** Of the text and of every tensor, by name. */
function digest(text: string, tensors: Record<string, Tensor>): string {
  const hashes = Object.keys(tensors)
    .sort()
    .map((name) => {
      const { storage, offset, size } = tensors[name].contiguous();
      const { buffer, byteOffset, byteLength } = storage.data.subarray(offset, offset + size);
      return `${name} ${io.sha256(new Uint8Array(buffer, byteOffset, byteLength))}`;
    });
  return io.sha256(new TextEncoder().encode([text, ...hashes].join('\n')));
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
