import { UserError } from '../errors.ts';
import { formatShape, sameShape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { Buffer, Parameter } from './parameter.ts';

/**
 * Base class of all layers and models. Its parameters and modules are found in its fields, in the order in
 * which they were first assigned; a list of modules is a `ModuleList`.
 *
 * The key of a parameter is the path of fields that leads to it. Where Python's name of a field differs
 * from ours (`tok_emb` for `tokEmb`), the class says so in a static `stateNames`.
 */
export abstract class Module {
  /** Field → its name in `stateDict()`, for fields that Python names differently. */
  static readonly stateNames: Record<string, string> = {};

  training = true;

  abstract forward(...inputs: Tensor[]): Tensor;

  /** The fields that hold parameters, buffers or modules, under their names in the state. */
  private *members(): Generator<[string, Parameter | Buffer | Module]> {
    const names = (this.constructor as typeof Module).stateNames;
    for (const [field, value] of Object.entries(this)) {
      if (value instanceof Parameter || value instanceof Buffer || value instanceof Module) {
        yield [names[field] ?? field, value];
      }
    }
  }

  /** This module's direct children by name. */
  *namedChildren(): Generator<[string, Module]> {
    for (const [name, value] of this.members()) if (value instanceof Module) yield [name, value];
  }

  /** Puts another module in the place of a direct child. @throws if there is no such child. */
  replaceChild(name: string, replacement: Module): void {
    const names = (this.constructor as typeof Module).stateNames;
    for (const [field, value] of Object.entries(this)) {
      if (value instanceof Module && (names[field] ?? field) === name) {
        (this as Record<string, unknown>)[field] = replacement;
        return;
      }
    }
    throw new Error(`replaceChild: there is no module ${name}`);
  }

  /** This module and all below it, with their paths (the root's is empty). */
  *namedModules(prefix = ''): Generator<[string, Module]> {
    yield [prefix, this];
    for (const [name, child] of this.namedChildren()) {
      yield* child.namedModules(prefix ? `${prefix}.${name}` : name);
    }
  }

  private *namedState(prefix = ''): Generator<[string, Parameter | Buffer]> {
    for (const [name, value] of this.members()) {
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
    for (const [, module] of this.namedModules()) module.training = mode;
    return this;
  }

  eval(): this {
    return this.train(false);
  }

  /** Sets `requiresGrad` of every parameter: false freezes the module. */
  requiresGrad_(wanted = true): this {
    for (const parameter of this.parameters()) parameter.requiresGrad = wanted;
    return this;
  }

  zeroGrad(): void {
    for (const parameter of this.parameters()) parameter.grad = null;
  }

  /** Parameters and persistent buffers by path: the tensors themselves, not copies. */
  stateDict(): Record<string, Tensor> {
    const state: Record<string, Tensor> = {};
    for (const [name, value] of this.namedState()) {
      if (value instanceof Parameter || value.persistent) state[name] = value;
    }
    return state;
  }

  /**
   * Copies a state in. With `strict` (the default) its keys have to be exactly this module's.
   * @throws UserError that names every missing and unexpected key and every wrong shape; nothing is copied then.
   */
  loadStateDict(state: Record<string, Tensor>, options: { strict?: boolean } = {}): void {
    const own = this.stateDict();
    const problems: string[] = [];
    const missing = Object.keys(own).filter((key) => !(key in state));
    const unexpected = Object.keys(state).filter((key) => !(key in own));
    if (options.strict ?? true) {
      if (missing.length > 0) problems.push(`missing keys: ${missing.join(', ')}`);
      if (unexpected.length > 0) problems.push(`unexpected keys: ${unexpected.join(', ')}`);
    }
    const shared = Object.keys(own).filter((key) => key in state);
    const shapes = shared
      .filter((key) => !sameShape(own[key].shape, state[key].shape))
      .map((key) => `${key} is ${formatShape(state[key].shape)}, expected ${formatShape(own[key].shape)}`);
    if (shapes.length > 0) problems.push(`wrong shapes: ${shapes.join('; ')}`);
    if (problems.length > 0) throw new UserError(`the weights do not fit the model: ${problems.join(' · ')}`);
    for (const key of shared) own[key].copyInPlace(state[key]);
  }
}
