import { checkFlag, checkOptions, checkText, firstFew, inWords, refuseSurplus } from '../arguments.ts';
import { UserError } from '../errors.ts';
import { noGrad } from '../tensor/autograd.ts';
import { copyWhole } from '../tensor/ops/inPlace.ts';
import { requireState } from '../tensor/requireTensors.ts';
import { formatShape, sameShape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { Buffer, Parameter } from './parameter.ts';

/**
 * Base class of all layers and models. Its parameters and modules are found in its fields, in the order in
 * which they were first assigned.
 *
 * The key of a parameter is the path of fields that leads to it, in Python's spelling: `tokEmb` is `tok_emb`. Where
 * Python's name is another (`W_query` for `wQuery`), the class says so in a static `stateNames`.
 *
 * A list of modules is a `ModuleList` or a `Sequential`: modules in a plain array, Map, Set or object are refused,
 * since Python would not find them either. A private `#field` cannot be seen from here: what it holds is neither
 * trained nor saved.
 */
export abstract class Module {
  /** Field → its name in the state, for fields whose name there is not simply the snake_case of ours. */
  static readonly stateNames: Readonly<Record<string, string>> = {};

  /** Is it in training mode, where dropout is active? */
  training = true;

  /** What the module computes. A subclass says what it takes: tensors, and whatever else it needs, e.g. a cache. */
  abstract forward(...inputs: unknown[]): Tensor;

  /** The fields that hold parameters, buffers or modules: field, name in the state, value. */
  private *members(): Generator<[field: string, name: string, value: Member]> {
    const names = (this.constructor as typeof Module).stateNames;
    for (const [field, value] of Object.entries(this)) {
      if (isMember(value)) yield [field, names[field] ?? snakeCase(field), value];
      else if (holdsMember(value)) {
        throw new UserError(
          `${this.constructor.name}.${field}: modules and parameters in a plain list or object are neither trained ` +
            'nor saved; use nn.ModuleList, nn.Sequential, or a field for each',
        );
      }
    }
  }

  /** This module's direct children by name. */
  *namedChildren(): Generator<[string, Module]> {
    for (const [, name, value] of this.members()) if (value instanceof Module) yield [name, value];
  }

  /** Puts another module in the place of a direct child. @throws UserError if there is no such child. */
  replaceChild(name: string, replacement: Module): void {
    checkText(name, 'the name', 'replaceChild');
    if (!(replacement instanceof Module))
      throw new UserError(`replaceChild: a module is expected, not ${inWords(replacement)}`);
    for (const [field, own, value] of this.members()) {
      if (own !== name || !(value instanceof Module)) continue;
      (this as Record<string, unknown>)[field] = replacement;
      return;
    }
    const names = Array.from(this.namedChildren(), ([child]) => child);
    throw new UserError(`replaceChild: there is no module ${name}; there are ${names.join(', ') || 'none'}`);
  }

  /** This module and all below it, with their paths (the root's is empty). */
  *namedModules(prefix = ''): Generator<[string, Module]> {
    checkText(prefix, 'the prefix', 'namedModules');
    yield [prefix, this];
    for (const [name, child] of this.namedChildren()) {
      yield* child.namedModules(prefix ? `${prefix}.${name}` : name);
    }
  }

  /** The module of a path, e.g. `trf_blocks.0.att`; an empty one is this. @throws UserError if there is none */
  getSubmodule(path: string): Module {
    if (typeof path !== 'string')
      throw new UserError(`getSubmodule: a path such as 'trf_blocks.0' is expected, not ${inWords(path)}`);
    let module: Module = this;
    for (const name of path === '' ? [] : path.split('.')) {
      const next = Array.from(module.namedChildren()).find(([child]) => child === name);
      if (!next) throw new UserError(`getSubmodule: there is no module ${name} on the way to ${path}`);
      module = next[1];
    }
    return module;
  }

  private *namedState(prefix = ''): Generator<[string, Parameter | Buffer]> {
    for (const [, name, value] of this.members()) {
      const path = prefix ? `${prefix}.${name}` : name;
      if (value instanceof Module) yield* value.namedState(path);
      else yield [path, value];
    }
  }

  /** Every parameter once, with its path; a tied weight is listed under its first path. */
  *namedParameters(): Generator<[string, Parameter]> {
    const seen = new Set<Tensor>();
    for (const [name, value] of this.namedState()) {
      if (!(value instanceof Parameter) || seen.has(value)) continue;
      seen.add(value);
      yield [name, value];
    }
  }

  /** Every parameter once. */
  parameters(): Parameter[] {
    return Array.from(this.namedParameters(), ([, parameter]) => parameter);
  }

  /** What stands in the brackets when the module is printed, for a layer with sizes worth knowing. */
  protected describe(): string {
    return '';
  }

  /** The module and all below it, one a line, as PyTorch prints them. */
  toString(): string {
    const children = Array.from(this.namedChildren(), ([name, child]) => {
      const [first, ...rest] = String(child).split('\n');
      return [`(${name}): ${first}`, ...rest].map((line) => `  ${line}\n`).join('');
    });
    const inside = children.length > 0 ? `\n${children.join('')}` : this.describe();
    return `${this.constructor.name}(${inside})`;
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }

  /** Puts the module and all below it into training mode, where dropout is active. */
  train(mode = true): this {
    checkFlag(mode, 'mode', 'train');
    for (const [, module] of this.namedModules()) module.training = mode;
    return this;
  }

  /** Puts the module and all below it into evaluation mode, where dropout does nothing. */
  eval(): this {
    return this.train(false);
  }

  /** Sets `requiresGrad` of every parameter: false freezes the module. */
  requiresGrad_(wanted = true): this {
    checkFlag(wanted, 'its argument', 'requiresGrad_');
    for (const parameter of this.parameters()) parameter.requiresGrad = wanted;
    return this;
  }

  /** Drops the gradients of all parameters, so that the next backward starts from zero. */
  zeroGrad(): void {
    for (const parameter of this.parameters()) parameter.grad = null;
  }

  /** Called before the module's state is read or replaced, for a module whose numbers do not always say all of it. */
  protected checkState(): void {}

  /**
   * Parameters and persistent buffers by path: the tensors themselves, not copies.
   * @throws UserError if two fields have one name, or a LoRA update is merged into its weight
   */
  stateDict(): Record<string, Tensor> {
    for (const [, module] of this.namedModules()) module.checkState();
    const state: Record<string, Tensor> = {};
    for (const [name, value] of this.namedState()) {
      if (Object.hasOwn(state, name)) throw new UserError(`stateDict: two fields have the name ${name}`);
      if (value instanceof Parameter || value.persistent) state[name] = value;
    }
    return state;
  }

  /**
   * Copies a state into the module. With `strict` (the default) its keys have to be exactly this module's.
   * @throws UserError that names the first missing and unexpected keys, wrong shapes and types, and how many more there
   * are; nothing is then copied.
   */
  loadStateDict(state: Record<string, Tensor>, options: { strict?: boolean } = {}): void {
    checkOptions('loadStateDict', options, ['strict']);
    const strict = checkFlag(options.strict ?? true, 'strict', 'loadStateDict');
    requireState(state, 'loadStateDict');
    const own = this.stateDict();
    const problems: string[] = [];
    const missing = Object.keys(own).filter((key) => !Object.hasOwn(state, key));
    const unexpected = Object.keys(state).filter((key) => !Object.hasOwn(own, key));
    if (strict) {
      if (missing.length > 0) problems.push(`missing keys: ${firstFew(missing)}`);
      if (unexpected.length > 0) problems.push(`unexpected keys: ${firstFew(unexpected)}`);
    }
    const shared = Object.keys(own).filter((key) => Object.hasOwn(state, key));
    const shapes = shared
      .filter((key) => !sameShape(own[key].shape, state[key].shape))
      .map((key) => `${key} is ${formatShape(state[key].shape)}, expected ${formatShape(own[key].shape)}`);
    if (shapes.length > 0) problems.push(`wrong shapes: ${firstFew(shapes, '; ')}`);
    const types = shared
      .filter((key) => own[key].dtype !== state[key].dtype)
      .map((key) => `${key} is ${state[key].dtype}, expected ${own[key].dtype}`);
    if (types.length > 0) problems.push(`wrong types: ${firstFew(types, '; ')}`);
    if (problems.length > 0) throw new UserError(`the weights do not fit the model: ${problems.join(' · ')}`);
    noGrad(() => copyState(own, state, shared));
  }
}

const ANY = Number.POSITIVE_INFINITY;

/** How many arguments each method takes at most: the compiler holds this table to the signatures. */
refuseSurplus<Module>(Module.prototype, {
  ...{
    forward: ANY,
    namedChildren: 0,
    replaceChild: 2,
    namedModules: 1,
    getSubmodule: 1,
    namedParameters: 0,
  },
  ...{ parameters: 0, toString: 0, train: 1, eval: 0, requiresGrad_: 1, zeroGrad: 0 },
  ...{ stateDict: 0, loadStateDict: 2 },
});

/**
 * Copies tensors over, those that share a storage one after the other: what is still in a file is then read once, and
 * its memory given back before the next is read.
 */
function copyState(
  own: Record<string, Tensor>,
  state: Record<string, Tensor>,
  keys: readonly string[],
): void {
  const byStorage = new Map<Tensor['storage'], string[]>();
  for (const key of keys) {
    const { storage } = state[key];
    const together = byStorage.get(storage);
    if (together) together.push(key);
    else byStorage.set(storage, [key]);
  }
  for (const [storage, together] of byStorage) {
    const isOnHost = storage.isOnHost;
    for (const key of together) copyWhole(own[key], state[key]);
    if (!isOnHost) storage.releaseHost();
  }
}

type Member = Parameter | Buffer | Module;

function isMember(value: unknown): value is Member {
  return value instanceof Parameter || value instanceof Buffer || value instanceof Module;
}

/** Is it a plain array, Map, Set or object with a member in it? */
function holdsMember(value: unknown): boolean {
  if (Array.isArray(value) || value instanceof Set) return Array.from(value).some(isMember);
  if (value instanceof Map) return Array.from(value.values()).some(isMember);
  const isPlain =
    typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
  return isPlain && Object.values(value).some(isMember);
}

/** `dropShortcut` → `drop_shortcut`; a leading capital, as of LoRA's A and B, stays. */
function snakeCase(field: string): string {
  let name = snakeCased.get(field);
  if (name === undefined) {
    name = field.replace(/(?<=[a-z0-9])[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    snakeCased.set(field, name);
  }
  return name;
}

/** The few names of fields that there are: every walk through a model asks for them again. */
const snakeCased = new Map<string, string>();
