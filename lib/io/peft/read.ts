import { firstFew } from '../../arguments.ts';
import { UserError } from '../../errors.ts';
import { addAdapterModule, loraLayers, removeAdapter, setAdapter, whileActive } from '../../nn/adapters.ts';
import * as init from '../../nn/init.ts';
import { type Embedding, Linear } from '../../nn/layers.ts';
import { LinearWithLoRA, LoRALayer } from '../../nn/lora.ts';
import type { Module } from '../../nn/module.ts';
import { Parameter } from '../../nn/parameter.ts';
import { noGrad } from '../../tensor/autograd.ts';
import { formatShape, sameShape } from '../../tensor/shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { PeftConfig } from './config.ts';
import { splitFused } from './fused.ts';
import { type HubLayout, type HubLinear, type HubModel, parentOf } from './layout.ts';
import { isSaved, isTarget, patternValue } from './targets.ts';

/** Gives a model an adapter in PEFT's form: its configuration, and its tensors by name. */

/** The two factors of a layer there: A [r, in], B [out, r]. */
interface Factors {
  A?: Tensor;
  B?: Tensor;
}

/** An adapter's tensors by the layer that they belong to: factors, and whole parameters. */
interface Sorted {
  lora: Map<string, Factors>;
  whole: Map<string, Record<string, Tensor>>;
}

/**
 * Puts the adapter on the model under a name and makes it the active one. The base model's weights stay as they are.
 * @throws UserError if it is of another base, incomplete, or not plain LoRA; the model is unchanged then
 */
export function addPeftAdapter(
  model: HubModel,
  config: PeftConfig,
  tensors: Record<string, Tensor>,
  name: string,
): void {
  for (const layer of loraLayers(model)) {
    if (layer.merged)
      throw new UserError('an adapter is merged into the model; call nn.unmergeLoRA(model) first');
  }
  // It belongs to the base model's own layers, not to one that another adapter brings whole.
  whileActive(model, null, () => {
    const layout = model.hubLayout();
    const linears = new Map(layout.linears.map((linear) => [linear.name, linear]));
    const sorted = sortTensors(tensors, layout, config);
    checkTargets(config, layout, sorted);

    const problems: string[] = [];
    const changes: (() => void)[] = [];
    for (const [layer, factors] of sorted.lora) {
      for (const change of addFactors(model, linears.get(layer)!, factors, config, name, problems))
        changes.push(change);
    }
    for (const [layer, parameters] of sorted.whole) {
      const add = addWhole(model, layout, config, layer, parameters, name, problems);
      if (add) changes.push(add);
    }
    if (problems.length > 0) {
      throw new UserError(
        `the adapter does not fit the model; it is for ${config.base}: ${firstFew(problems, '; ')}`,
      );
    }
    removeAdapter(model, name);
    // Nothing is changed before all of it is known to fit.
    for (const change of changes) change();
  });
  setAdapter(model, name);
}

const FACTOR = /^(.*)\.lora_([AB])(?:\.[^.]+)?\.weight$/;
const WHOLE = /^(.*?)(?:\.modules_to_save(?:\.[^.]+)?|\.base_layer)?\.(weight|bias)$/;

function sortTensors(tensors: Record<string, Tensor>, layout: HubLayout, config: PeftConfig): Sorted {
  const sorted: Sorted = { lora: new Map(), whole: new Map() };
  const unknown: string[] = [];
  const integers = Object.keys(tensors).filter((key) => tensors[key].dtype !== 'float32');
  if (integers.length > 0)
    throw new UserError(`the adapter has whole numbers for ${firstFew(integers)}; get it again`);
  for (const [key, tensor] of Object.entries(tensors)) {
    const name = key.replace(/^base_model\.model\./, '');
    if (/lora_embedding|lora_magnitude|lora_[AB](\..*)?\.bias$/.test(name)) {
      throw new UserError(`the adapter has ${key}, and only plain LoRA on linear layers is read here`);
    }
    const [, inLora, factor] = FACTOR.exec(name) ?? [];
    const [, inWhole, parameter] = factor ? [] : (WHOLE.exec(name) ?? []);
    const layer = layerNamed(layout, inLora ?? inWhole, factor !== undefined);
    if (layer === undefined) unknown.push(key);
    else if (factor) sorted.lora.set(layer, { ...sorted.lora.get(layer), [factor]: tensor });
    else sorted.whole.set(layer, { ...sorted.whole.get(layer), [parameter]: tensor });
  }
  if (unknown.length > 0) {
    throw new UserError(
      `the adapter is for ${config.base}, another kind of model: there is no place for ${firstFew(unknown)}`,
    );
  }
  if (sorted.lora.size === 0 && sorted.whole.size === 0) throw new UserError('the adapter has no tensors');
  return sorted;
}

/** A layer's name in the layout, whether or not the file puts the inner model's name before it. */
function layerNamed(
  { linears, others, head }: HubLayout,
  name: string | undefined,
  isLora: boolean,
): string | undefined {
  if (name === undefined) return undefined;
  const names = linears.map((linear) => linear.name);
  if (!isLora) names.push(head.languageModel, head.classifier, ...others.map((other) => other.name));
  return (
    names.find((each) => each === name) ?? names.find((each) => each.slice(each.indexOf('.') + 1) === name)
  );
}

/** Compares the layers that have tensors with those that the configuration means. */
function checkTargets(
  config: PeftConfig,
  { linears, others, head }: HubLayout,
  { lora, whole }: Sorted,
): void {
  const halves = [...lora].filter(([, { A, B }]) => !A || !B).map(([layer]) => layer);
  if (halves.length > 0)
    throw new UserError(`the adapter has only one of A and B for ${firstFew(halves)}; get it again`);
  const missing: string[] = [];
  const surplus: string[] = [];
  for (const { name, ours } of linears) {
    const wanted = isTarget(config, name, ours[0] === head.ours);
    const inner = isTarget(config, name.slice(name.indexOf('.') + 1), ours[0] === head.ours);
    if (wanted === null) continue;
    if (wanted && !lora.has(name)) missing.push(name);
    if (!wanted && !inner && lora.has(name)) surplus.push(name);
  }
  const layers = [head.classifier, head.languageModel, ...others.map((other) => other.name)];
  missing.push(...layers.filter((layer) => isSaved(config, layer) && !whole.has(layer)));
  if (missing.length > 0) {
    throw new UserError(
      `the adapter has no tensors for ${firstFew(missing)}, which its configuration names; get it again`,
    );
  }
  if (surplus.length > 0) {
    throw new UserError(
      `the adapter has tensors for ${firstFew(surplus)}, which its configuration does not name`,
    );
  }
}

/** A function that puts A and B of a layer there on the Linears here. */
function addFactors(
  model: Module,
  linear: HubLinear,
  { A, B }: Factors,
  config: PeftConfig,
  name: string,
  problems: string[],
): (() => void)[] {
  const places = linear.ours.map((path) => placeOf(model, path));
  const [inDim] = places.map(({ linear: { inFeatures } }) => inFeatures);
  const outDims = places.map(({ linear: { outFeatures } }) => outFeatures);
  const outDim = outDims.reduce((sum, each) => sum + each, 0);
  const rank = patternValue(config.rankPattern, linear.name, config.rank);
  const before = problems.length;
  for (const [factor, tensor, shape] of [
    ['A', A!, [rank, inDim]],
    ['B', B!, [outDim, rank]],
  ] as const) {
    if (!sameShape(tensor.shape, shape)) {
      problems.push(
        `${factor} of ${linear.name} is ${formatShape(tensor.shape)}, expected ${formatShape(shape)}`,
      );
    }
  }
  if (problems.length > before) return [];
  const alpha = patternValue(config.alphaPattern, linear.name, config.alpha);
  const { dropout, rankStabilised } = config;
  const parts = splitFused(A!, B!, outDims, alpha, rankStabilised);
  return parts.flatMap((part, i) => {
    if (!part) return [];
    const scaling = rankStabilised ? 'rslora' : 'alpha/r';
    const lora = init.skip(
      () => new LoRALayer(inDim, outDims[i], part.rank, part.alpha, { dropout, scaling }),
    );
    noGrad(() => {
      lora.A.copyInPlace(part.A.t()); // [r, in] → [in, r]
      lora.B.copyInPlace(part.B.t()); // [out, r] → [r, out]
    });
    return [() => placeOf(model, linear.ours[i]).addAdapter(name, lora)];
  });
}

interface Place {
  linear: Linear;
  addAdapter(name: string, lora: LoRALayer): void;
}

/** A Linear of the model, wrapped or not, and how to give it one more update. */
function placeOf(model: Module, path: string): Place {
  const module = model.getSubmodule(path);
  if (module instanceof LinearWithLoRA) {
    return { linear: module.linear, addAdapter: (name, lora) => module.addAdapter(name, lora) };
  }
  if (!(module instanceof Linear)) throw new UserError(`the model's ${path} is not a Linear`);
  return {
    linear: module,
    addAdapter(name, lora) {
      const [parent, child] = parentOf(model, path);
      parent.replaceChild(child, LinearWithLoRA.around(module, name, lora));
    },
  };
}

/** A function that puts a layer that the adapter brings whole in place of the model's, while the adapter is active. */
function addWhole(
  model: Module,
  layout: HubLayout,
  config: PeftConfig,
  layer: string,
  parameters: Record<string, Tensor>,
  name: string,
  problems: string[],
): (() => void) | undefined {
  const { head } = layout;
  const isHead = layer === head.languageModel || layer === head.classifier;
  const other = layout.others.find((each) => each.name === layer);
  const path = isHead
    ? head.ours
    : (other?.ours ?? layout.linears.find((each) => each.name === layer)!.ours[0]);
  const module = model.getSubmodule(path);
  const expect = (what: string, tensor: Tensor | undefined, shape: readonly number[]) => {
    if (tensor && sameShape(tensor.shape, shape)) return;
    const given = tensor ? `is ${formatShape(tensor.shape)}` : 'is missing';
    problems.push(`${what} of ${layer} ${given}, expected ${formatShape(shape)}`);
  };
  const replaceBy = (replacement: Module) => {
    const [parent, child] = parentOf(model, path);
    addAdapterModule(parent, child, name, replacement.train(model.training));
  };

  const staysTied = config.ensureWeightTying && layer === head.languageModel;
  if (!isSaved(config, layer) && layer !== head.classifier && !staysTied) {
    // PEFT saves an embedding beside the factors of a head that is tied to it: the base's own.
    if (!sameAs(module, parameters.weight)) problems.push(`the weight of ${layer} is not the base model's`);
    return undefined;
  }
  if (isHead) {
    const { inFeatures } = module as Linear | LinearWithLoRA;
    const { weight, bias } = parameters;
    const before = problems.length;
    const outFeatures = weight?.shape[0] ?? 0;
    expect('weight', weight, [outFeatures, inFeatures]);
    if (bias) expect('bias', bias, [outFeatures]);
    if (problems.length > before) return undefined;
    const copy = (tensor: Tensor) => new Parameter(tensor.detach().clone());
    return () => replaceBy(Linear.of(copy(weight), bias ? copy(bias) : null));
  }
  if (!other) {
    problems.push(`${layer} is brought whole, which only a head, an embedding or a norm can be here`);
    return undefined;
  }
  const before = problems.length;
  const own = Object.entries(other.parameters).map(([theirs, ours]) => {
    expect(theirs, parameters[theirs], (module as unknown as Record<string, Parameter>)[ours].shape);
    return [ours, parameters[theirs]] as const;
  });
  if (problems.length > before) return undefined;
  const replacement: Module = Object.assign(Object.create(Object.getPrototypeOf(module)), module);
  for (const [ours, tensor] of own)
    Object.assign(replacement, { [ours]: new Parameter(tensor.detach().clone()) });
  return () => replaceBy(replacement);
}

/** Is it the layer's own weight, but for the rounding of 16 bits? */
function sameAs(module: Module, weight: Tensor | undefined): boolean {
  const own = (module as Linear | LinearWithLoRA | Embedding).weight;
  if (!own || !weight || !sameShape(own.shape, weight.shape)) return false;
  return noGrad(() => {
    const difference = own.sub(weight).abs().amax().item();
    return difference <= 0.01 * own.abs().amax().item();
  });
}
