/** LoRA for whole models: wrapping their Linears, choosing among adapters, merging. The layer itself is in lora.ts. */

import { checkOptions, firstFew, inWords, noMore } from '../arguments.ts';
import { UserError } from '../errors.ts';
import { Linear } from './layers.ts';
import { checkName, LinearWithLoRA, LORA_LAYER_OPTIONS, LoRALayer, type LoRALayerOptions } from './lora.ts';
import { Module } from './module.ts';
import { Parameter } from './parameter.ts';

export interface LoRAOptions extends LoRALayerOptions {
  /** r: how many directions ΔW may have. */
  rank: number;
  /** The update is scaled by alpha / rank, so that changing the rank leaves its size about the same. */
  alpha: number;
  /**
   * Which Linears: names as in the state, whole (`trf_blocks.0.att.W_query`) or their last parts (`W_query`), or a
   * pattern for the whole name. All, if not given.
   */
  targets?: readonly string[] | RegExp;
  /** The adapter's name, for several on one model; `default` if not given. */
  name?: string;
}

/**
 * Wraps every Linear below the model, or those that `targets` names, in place, in the order of its modules (in which A
 * is drawn). The weights that were there are not frozen: do that first, with `model.requiresGrad_(false)`, as the
 * book does. What is already wrapped is left as it is; under another `name` it gets another adapter, which becomes
 * the active one.
 *
 * @throws UserError if the model is itself a Linear or has none, or nothing matches a target
 */
export function replaceLinearWithLoRA(model: Module, options: LoRAOptions, ...more: []): void {
  noMore('replaceLinearWithLoRA', 2, more);
  requireModule('replaceLinearWithLoRA', model);
  checkOptions('replaceLinearWithLoRA', options, ['rank', 'alpha', ...LORA_LAYER_OPTIONS, 'targets', 'name']);
  const { rank, alpha, targets, name = 'default', ...layer } = options;
  if (model instanceof Linear) {
    throw new UserError(
      'replaceLinearWithLoRA: a Linear by itself has no place in which to put another module; use ' +
        'nn.LinearWithLoRA.fromLinear(linear, { rank, alpha })',
    );
  }
  checkName(name);
  // A layer that another adapter brings whole is none of the new one's.
  whileActive(model, adapterNames(model).includes(name) ? name : null, () => {
    const places = linearPlaces(model);
    if (places.length === 0)
      throw new UserError('replaceLinearWithLoRA: the model has no Linear to be wrapped');
    checkTargets(places, targets);
    // A Linear in two places is one layer with one update.
    const wrapped = new Map<Linear, LinearWithLoRA>();
    for (const { parent, child, path, module } of places) {
      if (!matchesTargets(path, targets)) continue;
      if (module instanceof LinearWithLoRA) {
        if (!module.adapters.has(name)) {
          module.addAdapter(name, new LoRALayer(module.inFeatures, module.outFeatures, rank, alpha, layer));
        }
      } else {
        const known = wrapped.get(module) ?? new LinearWithLoRA(module, rank, alpha, layer, name);
        wrapped.set(module, known.train(module.training));
        parent.replaceChild(child, known);
      }
    }
  });
  if (loraLayers(model).some((lora) => lora.adapters.has(name))) setAdapter(model, name);
}

/** @throws UserError unless it is a module */
function requireModule(what: string, model: Module): void {
  if (!(model instanceof Module)) throw new UserError(`${what}: a module is expected, not ${inWords(model)}`);
}

interface LinearPlace {
  parent: Module;
  /** The name in its parent, and the whole path. */
  child: string;
  path: string;
  module: Linear | LinearWithLoRA;
}

/** Where the Linears are (wrapped ones as a whole), in the order of the modules. */
function linearPlaces(model: Module, prefix = ''): LinearPlace[] {
  if (model instanceof LinearWithLoRA) return [];
  return Array.from(model.namedChildren()).flatMap(([child, module]) => {
    const path = prefix + child;
    const isLinear = module instanceof Linear || module instanceof LinearWithLoRA;
    return isLinear ? [{ parent: model, child, path, module }] : linearPlaces(module, `${path}.`);
  });
}

function matchesTargets(path: string, targets: LoRAOptions['targets']): boolean {
  if (targets === undefined) return true;
  if (targets instanceof RegExp)
    return new RegExp(`^(?:${targets.source})$`, targets.flags.replace(/[gy]/g, '')).test(path);
  return targets.some((target) => path === target || path.endsWith(`.${target}`));
}

/** @throws UserError naming the targets that no Linear matches */
function checkTargets(places: readonly LinearPlace[], targets: LoRAOptions['targets']): void {
  const isList = Array.isArray(targets) && targets.every((target) => typeof target === 'string');
  if (!(targets === undefined || targets instanceof RegExp || isList)) {
    throw new UserError(
      `replaceLinearWithLoRA: targets are a list of names or a pattern, not ${inWords(targets)}`,
    );
  }
  const each =
    targets === undefined || targets instanceof RegExp ? [targets] : targets.map((target) => [target]);
  const unmatched = each.filter((target) => !places.some(({ path }) => matchesTargets(path, target)));
  if (targets === undefined || (unmatched.length === 0 && each.length > 0)) return;
  const names = firstFew(places.map(({ path }) => path));
  throw new UserError(
    `replaceLinearWithLoRA: no Linear is called ${unmatched.map(String).join(', ') || '(no target given)'}; there are ${names}`,
  );
}

/** The model and all modules below it, once each. Walking through them is all that changing an adapter costs. */
function modulesOf(model: Module): Module[] {
  return collectModules(model, () => []);
}

/** The same with the layers that are not in use now, because another adapter's stand in their place. */
function modulesInUseOrNot(model: Module): Module[] {
  return collectModules(model, (module) =>
    Array.from(wholeLayers.get(module)?.values() ?? []).flatMap(({ layers }) => [...layers.values()]),
  );
}

function collectModules(model: Module, further: (module: Module) => readonly Module[]): Module[] {
  const found = new Set<Module>();
  const collect = (module: Module) => {
    if (found.has(module)) return;
    found.add(module);
    for (const [, child] of module.namedChildren()) collect(child);
    for (const layer of further(module)) collect(layer);
  };
  collect(model);
  return [...found];
}

/** Every LinearWithLoRA below a module, once. */
export function loraLayers(model: Module): LinearWithLoRA[] {
  return loraAmong(modulesOf(model));
}

function loraAmong(modules: readonly Module[]): LinearWithLoRA[] {
  return modules.filter((module) => module instanceof LinearWithLoRA);
}

/** A place in a model whose layer some adapters bring whole, such as a classifier's head. */
interface WholeLayers {
  /** The adapter whose layer stands there now; null for the model's own. */
  active: string | null;
  /** The layer of each adapter, and under null the model's own. Of the one in use the module that holds it knows. */
  readonly layers: Map<string | null, Module>;
}

/** Those places, by the module that holds them and their name in it. */
const wholeLayers = new WeakMap<Module, Map<string, WholeLayers>>();

/** Gives an adapter a layer of its own, which takes the place of the model's while the adapter is active. */
export function addAdapterModule(parent: Module, child: string, adapter: string, layer: Module): void {
  const places = wholeLayers.get(parent) ?? new Map<string, WholeLayers>();
  wholeLayers.set(parent, places);
  const place = places.get(child) ?? { active: null, layers: new Map([[null, parent.getSubmodule(child)]]) };
  places.set(child, place);
  place.layers.set(adapter, layer);
}

/** The layer of that name in a module that an adapter brings whole, if it does. */
export function adapterModule(parent: Module, child: string, adapter: string): Module | undefined {
  const place = wholeLayers.get(parent)?.get(child);
  return place?.active === adapter ? parent.getSubmodule(child) : place?.layers.get(adapter);
}

/** The places in some modules whose layer some adapters bring whole. */
function* wholeAmong(modules: readonly Module[]): Generator<[Module, string, WholeLayers]> {
  for (const parent of modules) {
    for (const [child, place] of wholeLayers.get(parent) ?? []) yield [parent, child, place];
  }
}

/** Puts an adapter's layer in its place, or the model's own. The one that stood there is kept as it is now: it may be wrapped. */
function exchange(parent: Module, child: string, place: WholeLayers, adapter: string | null): void {
  const { layers } = place;
  layers.set(place.active, parent.getSubmodule(child));
  place.active = layers.has(adapter) ? adapter : null;
  parent.replaceChild(child, layers.get(place.active)!);
}

/** The names of all adapters of a model, in the order in which they came. */
export function adapterNames(model: Module): string[] {
  return namesAmong(modulesInUseOrNot(model));
}

function namesAmong(modules: readonly Module[]): string[] {
  const lora = loraAmong(modules).flatMap((layer) => [...layer.adapters.keys()]);
  const whole = Array.from(wholeAmong(modules)).flatMap(([, , { layers }]) => [...layers.keys()]);
  return [...new Set([...lora, ...whole])].filter((name) => name !== null);
}

/** The name of the adapter that is active in a model, or null. */
export function activeAdapter(model: Module): string | null {
  const modules = modulesOf(model);
  for (const { adapters, active } of loraAmong(modules)) {
    for (const [name, lora] of adapters) if (lora === active) return name;
  }
  for (const [, , { active }] of wholeAmong(modules)) if (active !== null) return active;
  return null;
}

/**
 * Makes the adapter of that name the active one in the whole model; null leaves the base model alone. No weight is
 * touched, so it takes no time, and the base stays as it is bit for bit.
 *
 * @throws UserError if there is no such adapter, or one is merged anywhere in the model; nothing is changed then
 */
export function setAdapter(model: Module, name: string | null, ...more: []): void {
  noMore('setAdapter', 2, more);
  requireModule('setAdapter', model);
  if (name !== null) checkName(name);
  const modules = modulesInUseOrNot(model);
  const names = namesAmong(modules);
  if (name !== null && !names.includes(name)) {
    throw new UserError(
      `setAdapter: there is no adapter ${name}; the model has ${names.join(', ') || 'none'}`,
    );
  }
  activate(model, modules, name);
}

/** As `setAdapter`, for a model's modules and an adapter that may have no layer among them yet. */
function activate(model: Module, modules: readonly Module[], name: string | null): void {
  refuseMerged(modules, 'change the adapter');
  for (const [parent, child, place] of wholeAmong(modules)) {
    exchange(parent, child, place, name);
    parent.getSubmodule(child).train(model.training);
  }
  for (const layer of loraAmong(modules)) layer.setAdapter(name);
}

/**
 * Runs `body` while an adapter is active, or, with null, the base model is alone; if it fails, the adapter that was active
 * before is so again.
 * @throws UserError as `setAdapter`
 */
export function whileActive<T>(model: Module, name: string | null, body: () => T): T {
  const before = activeAdapter(model);
  setAdapter(model, name);
  try {
    return body();
  } catch (error) {
    setAdapter(model, before);
    throw error;
  }
}

/** @throws UserError if one of the layers has an update merged into its weight, before anything is changed in the others */
function refuseMerged(modules: readonly Module[], what: string): void {
  for (const layer of loraAmong(modules)) layer.refuseMerged(what);
}

/** Forgets an adapter, if there is one of that name; if it was the active one, the base model is left alone. */
export function removeAdapter(model: Module, name: string, ...more: []): void {
  noMore('removeAdapter', 2, more);
  requireModule('removeAdapter', model);
  checkName(name);
  const modules = modulesInUseOrNot(model);
  refuseMerged(modules, 'remove an adapter');
  for (const [parent, child, place] of wholeAmong(modules)) {
    if (place.active === name) {
      exchange(parent, child, place, null);
      parent.getSubmodule(child).train(model.training);
    }
    place.layers.delete(name);
  }
  for (const layer of loraAmong(modules)) layer.removeAdapter(name);
}

/** Merges every active update below the model into its weight. A weight that another layer shares is copied first. */
export function mergeLoRA(model: Module, ...more: []): void {
  noMore('mergeLoRA', 1, more);
  requireModule('mergeLoRA', model);
  const users = new Map<Parameter, number>();
  for (const module of modulesOf(model)) {
    for (const value of Object.values(module)) {
      if (value instanceof Parameter) users.set(value, (users.get(value) ?? 0) + 1);
    }
  }
  for (const layer of loraLayers(model)) layer.merge((users.get(layer.weight) ?? 0) > 1);
}

/** Takes every merged update out again. */
export function unmergeLoRA(model: Module, ...more: []): void {
  noMore('unmergeLoRA', 1, more);
  requireModule('unmergeLoRA', model);
  for (const layer of loraLayers(model)) layer.unmerge();
}
