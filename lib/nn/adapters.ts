/** LoRA for whole models: wrapping their Linears, choosing among adapters, merging. The layer itself is in lora.ts. */

import { inWords, noMore } from '../arguments.ts';
import { UserError } from '../errors.ts';
import { checkOptions, firstFew } from '../options.ts';
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
  const found = new Set<Module>();
  const collect = (module: Module) => {
    if (found.has(module)) return;
    found.add(module);
    for (const [, child] of module.namedChildren()) collect(child);
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

/**
 * Layers that an adapter brings whole, such as a classifier's head: by the module that holds them and their name in it, one
 * for each adapter, and under null what was there before.
 */
const wholeLayers = new WeakMap<Module, Map<string, Map<string | null, Module>>>();

/** Gives an adapter a layer of its own, which takes the place of the model's while the adapter is active. */
export function addAdapterModule(parent: Module, child: string, adapter: string, layer: Module): void {
  const children = wholeLayers.get(parent) ?? new Map<string, Map<string | null, Module>>();
  wholeLayers.set(parent, children);
  const versions = children.get(child) ?? new Map([[null, parent.getSubmodule(child)]]);
  children.set(child, versions.set(adapter, layer));
}

/** The layer of that name in a module that an adapter brings whole, if it does. */
export function adapterModule(parent: Module, child: string, adapter: string): Module | undefined {
  return wholeLayers.get(parent)?.get(child)?.get(adapter);
}

/** The layers in some modules that an adapter brings whole. */
function* wholeAmong(modules: readonly Module[]): Generator<[Module, string, Map<string | null, Module>]> {
  for (const parent of modules) {
    for (const [child, versions] of wholeLayers.get(parent) ?? []) yield [parent, child, versions];
  }
}

/** The names of all adapters of a model, in the order in which they came. */
export function adapterNames(model: Module): string[] {
  return namesAmong(modulesOf(model));
}

function namesAmong(modules: readonly Module[]): string[] {
  const names = loraAmong(modules).flatMap((layer) => [...layer.adapters.keys()]);
  for (const [, , versions] of wholeAmong(modules))
    names.push(...([...versions.keys()].filter(Boolean) as string[]));
  return [...new Set(names)];
}

/**
 * Makes the adapter of that name the active one in the whole model; null leaves the base model alone. No weight is
 * touched, so it takes no time, and the base stays as it is bit for bit.
 *
 * @throws UserError if there is no such adapter, or one is merged
 */
export function setAdapter(model: Module, name: string | null, ...more: []): void {
  noMore('setAdapter', 2, more);
  requireModule('setAdapter', model);
  if (name !== null) checkName(name);
  const modules = modulesOf(model);
  const names = namesAmong(modules);
  if (name !== null && !names.includes(name)) {
    throw new UserError(
      `setAdapter: there is no adapter ${name}; the model has ${names.join(', ') || 'none'}`,
    );
  }
  for (const layer of loraAmong(modules)) layer.setAdapter(name);
  for (const [parent, child, versions] of wholeAmong(modules)) {
    parent.replaceChild(child, (versions.get(name) ?? versions.get(null)!).train(model.training));
  }
}

/** Forgets an adapter, if there is one of that name; if it was the active one, the base model is left alone. */
export function removeAdapter(model: Module, name: string, ...more: []): void {
  noMore('removeAdapter', 2, more);
  requireModule('removeAdapter', model);
  checkName(name);
  const modules = modulesOf(model);
  for (const layer of loraAmong(modules)) layer.removeAdapter(name);
  for (const [parent, child, versions] of wholeAmong(modules)) {
    const layer = versions.get(name);
    versions.delete(name);
    if (layer === parent.getSubmodule(child)) parent.replaceChild(child, versions.get(null)!);
  }
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
