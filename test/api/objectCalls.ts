import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GPTModel } from '../../chapters/chapter04/index.ts';
import * as lib from '../../lib/index.ts';
import { TINY } from '../chapters/chapter04/tiny.ts';
import { type Call, nets, parameters, type Row, x } from './calls.ts';

/** One good call of every method of a module and an optimiser, and of every function of `io`. */

const { io, nn, optim } = lib;

const METHODS_OF_A_MODULE: Record<string, () => unknown[]> = {
  forward: () => [x(2, 3)],
  namedChildren: () => [],
  replaceChild: () => ['1', new nn.ReLU()],
  namedModules: () => ['net'],
  getSubmodule: () => ['0'],
  namedParameters: () => [],
  parameters: () => [],
  toString: () => [],
  train: () => [false],
  eval: () => [],
  requiresGrad_: () => [false],
  zeroGrad: () => [],
  stateDict: () => [],
  loadStateDict: () => [nets().stateDict(), { strict: false }],
};

const METHODS_OF_AN_OPTIMISER: Record<string, () => unknown[]> = {
  step: () => [],
  zeroGrad: () => [],
  stateDict: () => [],
  loadStateDict: () => [adamW().stateDict()],
};

const adamW = () => new optim.AdamW(parameters(), { lr: 0.1 });

/** What a method answers: what a generator yields, or, where it answers nothing, the state. */
function methodOf(receiver: () => lib.nn.Module | lib.optim.Optimizer, name: string): Call['run'] {
  return (...given) => {
    lib.manualSeed(1);
    const object = receiver();
    // biome-ignore lint/suspicious/noExplicitAny: a method by name
    const answer = (object as any)[name](...given);
    if (answer === undefined) return object.stateDict();
    return typeof answer?.next === 'function' ? [...answer] : answer;
  };
}

const folder = mkdtempSync(join(tmpdir(), 'calls-'));
after(() => rmSync(folder, { recursive: true }));
/** A path in the folder of these tests; what is no path stays what it is. */
const inFolder = (path: unknown) => (typeof path === 'string' ? join(folder, path) : path) as string;

/** A small GPT with an adapter, and one that has none yet. */
function adapted(): GPTModel {
  const model = bare();
  nn.replaceLinearWithLoRA(model, { rank: 1, alpha: 1 });
  return model;
}
const bare = () => new GPTModel(TINY).requiresGrad_(false).eval();
const files = () => {
  const { config, tensors } = io.adapterFiles(adapted(), { baseModel: 'tiny' });
  return { config, tensors };
};
const state = () => ({ a: x(2, 3), b: x(3) });

before(async () => {
  await io.saveAdapter(inFolder('adapter'), adapted(), { baseModel: 'tiny' });
  await io.saveTensors(inFolder('state'), state());
});

const IO: Record<string, Row> = {
  saveAdapter: [
    (path, ...rest: [GPTModel, { baseModel: string }]) => io.saveAdapter(inFolder(path), ...rest),
    () => ['written', adapted(), { baseModel: 'tiny', name: 'default' }],
  ],
  adapterFiles: [
    (...args: [GPTModel, { baseModel: string }]) => Object.keys(io.adapterFiles(...args)),
    () => [adapted(), { baseModel: 'tiny', name: 'default' }],
  ],
  loadAdapter: [
    (path, ...rest: [GPTModel]) => io.loadAdapter(inFolder(path), ...rest),
    () => ['adapter', bare(), { name: 'mine' }],
  ],
  loadAdapterFiles: [io.loadAdapterFiles, () => [files(), bare(), { name: 'mine' }]],
  readAdapterConfig: [
    (path, ...rest: []) => io.readAdapterConfig(inFolder(path), ...rest),
    () => ['adapter'],
  ],
  loadTensors: [
    (path, ...rest: [string]) => io.loadTensors(inFolder(path), ...rest),
    () => ['state', 'the state'],
  ],
  withTensors: [
    (path, ...rest: [string, () => number]) => io.withTensors(inFolder(path), ...rest),
    () => ['state', 'the state', () => 1],
  ],
  saveTensors: [
    (path, ...rest: [Record<string, lib.Tensor>]) => io.saveTensors(inFolder(path), ...rest),
    () => ['saved', state(), { metadata: { format: 'pt' }, dtype: 'F16' }],
  ],
};

export const OBJECT_CALLS: readonly Call[] = [
  ...Object.entries(IO).map(([name, [run, args]]) => ({ name: `io.${name}`, run, args })),
  ...Object.entries(METHODS_OF_A_MODULE).map(([name, args]) => {
    return { name: `module.${name}`, run: methodOf(nets, name), args };
  }),
  ...Object.entries(METHODS_OF_AN_OPTIMISER).map(([name, args]) => {
    return { name: `optimiser.${name}`, run: methodOf(adamW, name), args };
  }),
];
