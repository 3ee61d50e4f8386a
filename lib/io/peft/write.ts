import { UserError } from '../../errors.ts';
import { adapterModule, loraLayers } from '../../nn/adapters.ts';
import type { Linear } from '../../nn/layers.ts';
import { LinearWithLoRA, type LoRALayer } from '../../nn/lora.ts';
import { noGrad } from '../../tensor/autograd.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { fuse } from './fused.ts';
import { type HubHead, type HubLayout, type HubModel, parentOf } from './layout.ts';

/** A model's adapter in PEFT's form: its configuration, and its tensors by name. */

export interface PeftAdapter {
  config: Record<string, unknown>;
  tensors: Record<string, Tensor>;
  /** What PEFT's form has no place for, in a line each. */
  notes: string[];
}

/** A layer's factors and settings there. */
interface Written {
  name: string;
  A: Tensor;
  B: Tensor;
  rank: number;
  alpha: number;
  transposed: boolean;
}

/**
 * The adapter of that name, which is the active one.
 * @throws UserError if it has no update, is merged, or its layers differ in what the configuration states once for all
 */
export function peftAdapter(model: HubModel, name: string, baseModel: string): PeftAdapter {
  const layout = model.hubLayout();
  const { head } = layout;
  if (loraLayers(model).some((layer) => layer.merged)) {
    throw new UserError(
      'saveAdapter: the adapter is merged into the weights; call nn.unmergeLoRA(model) first',
    );
  }
  const updateOf = (path: string): LoRALayer | undefined => {
    const module = model.getSubmodule(path);
    return module instanceof LinearWithLoRA ? module.adapters.get(name) : undefined;
  };
  // A classifier's head is in no base model: it goes whole, with its update in it.
  const linears = layout.linears.filter(({ ours }) => !(head.isClassifier && ours[0] === head.ours));
  const updates = linears.flatMap(({ ours }) => ours.flatMap((path) => updateOf(path) ?? []));
  if (updates.length === 0)
    throw new UserError(`saveAdapter: the model has no adapter ${name} with LoRA on a layer of it`);
  const [{ dropout, rankStabilised }] = updates;
  if (updates.some((each) => each.dropout !== dropout || each.rankStabilised !== rankStabilised)) {
    throw new UserError(
      'saveAdapter: PEFT has one dropout and one kind of scaling for all layers; here they differ',
    );
  }

  const written = linears.flatMap(({ name, ours, transposed }): Written[] => {
    const parts = ours.map((path) => {
      const lora = updateOf(path);
      return lora
        ? { A: lora.A.detach().t(), B: lora.B.detach().t(), rank: lora.rank, alpha: lora.alpha }
        : null;
    });
    if (parts.every((part) => part === null)) return [];
    const outDims = ours.map((path) => (model.getSubmodule(path) as Linear | LinearWithLoRA).outFeatures);
    return [{ name, transposed, ...fuse(parts, outDims, rankStabilised) }];
  });

  const tensors: Record<string, Tensor> = {};
  const notes: string[] = [];
  for (const { name, A, B } of written) {
    tensors[`base_model.model.${name}.lora_A.weight`] = A;
    tensors[`base_model.model.${name}.lora_B.weight`] = B;
  }
  if (head.isClassifier) addHead(model, head, tensors, notes);
  const saved = addWholeLayers(model, layout, name, tensors);
  const config = configOf(layout, written, saved, baseModel, dropout, rankStabilised);
  return { config, tensors, notes };
}

function configOf(
  layout: HubLayout,
  written: readonly Written[],
  saved: readonly string[],
  baseModel: string,
  dropout: number,
  rankStabilised: boolean,
): Record<string, unknown> {
  const names = written.map(({ name }) => name);
  const all = layout.linears.map(({ name }) => name);
  const { rank, alpha } = mostCommon(written);
  const differing = written.filter((each) => each.rank !== rank || each.alpha !== alpha);
  const patterns = differing.map((each) => {
    const alike = differing.filter((other) => other.rank === each.rank && other.alpha === each.alpha);
    return [
      shortestName(
        each.name,
        alike.map(({ name }) => name),
        names,
      ),
      each,
    ] as const;
  });
  const { isClassifier, classifier } = layout.head;
  const whole = new Set([...(isClassifier ? ['classifier', classifier] : []), ...saved]);
  // Sorted, as PEFT writes them.
  return {
    alpha_pattern: Object.fromEntries(patterns.map(([name, each]) => [name, each.alpha])),
    auto_mapping: null,
    base_model_name_or_path: baseModel,
    bias: 'none',
    fan_in_fan_out: written.some(({ transposed }) => transposed),
    inference_mode: true,
    init_lora_weights: true,
    layers_pattern: null,
    layers_to_transform: null,
    lora_alpha: alpha,
    lora_dropout: dropout,
    modules_to_save: whole.size > 0 ? [...whole] : null,
    peft_type: 'LORA',
    r: rank,
    rank_pattern: Object.fromEntries(patterns.map(([name, each]) => [name, each.rank])),
    revision: null,
    target_modules: [...new Set(names.map((name) => shortestName(name, names, all)))].sort(),
    task_type: isClassifier ? 'SEQ_CLS' : 'CAUSAL_LM',
    use_dora: false,
    use_rslora: rankStabilised,
  };
}

function mostCommon(written: readonly Written[]): { rank: number; alpha: number } {
  const counts = new Map<string, number>();
  for (const { rank, alpha } of written) {
    const key = `${rank} ${alpha}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const [best] = [...counts].sort(([, a], [, b]) => b - a);
  const [rank, alpha] = best[0].split(' ').map(Number);
  return { rank, alpha };
}

/** The shortest ending that, among all names, only the wanted ones have: `c_attn` if all of them are wanted. */
function shortestName(name: string, wanted: readonly string[], all: readonly string[]): string {
  const parts = name.split('.');
  for (let first = parts.length - 1; first > 0; first--) {
    const end = parts.slice(first).join('.');
    // A number alone would be a poor name for a layer.
    if (/^\d/.test(end)) continue;
    if (all.every((each) => wanted.includes(each) || !(each === end || each.endsWith(`.${end}`)))) return end;
  }
  return name;
}

/** The classifier's head with its update merged, in memory of its own, and without a bias. */
function addHead(model: HubModel, head: HubHead, tensors: Record<string, Tensor>, notes: string[]): void {
  const module = model.getSubmodule(head.ours) as Linear | LinearWithLoRA;
  const { weight, bias } = module instanceof LinearWithLoRA ? module.toLinear() : module;
  const name = `base_model.model.${head.classifier}`;
  const folded = bias && noGrad(() => foldBias(weight.detach(), bias.detach(), head.norm));
  tensors[`${name}.weight`] = folded ?? weight.detach();
  if (bias && !folded) {
    tensors[`${name}.bias`] = bias.detach();
    notes.push(
      `The head's bias is kept as ${head.classifier}.bias, which is read here; PEFT's ${head.classifier} has none and leaves it out.`,
    );
  }
}

/** The other layers that the adapter brings whole, a language model's head among them. Their names, in full: PEFT takes endings. */
function addWholeLayers(
  model: HubModel,
  { head, others }: HubLayout,
  adapter: string,
  tensors: Record<string, Tensor>,
): string[] {
  const ownHead = {
    name: head.languageModel,
    ours: head.ours,
    parameters: { weight: 'weight', bias: 'bias' },
  };
  return [...(head.isClassifier ? [] : [ownHead]), ...others].flatMap(({ name, ours, parameters }) => {
    const layer = adapterModule(...parentOf(model, ours), adapter);
    if (!layer) return [];
    for (const [theirs, own] of Object.entries(parameters)) {
      const parameter = (layer as unknown as Record<string, Tensor | null>)[own];
      if (parameter) tensors[`base_model.model.${name}.${theirs}`] = parameter.detach();
    }
    return [name];
  });
}

/**
 * A head's weight [classes, d] that answers without a bias what it answered with it. Behind a layer norm, x = γ n + β where
 * the n of a token sum to 0, so Σ xⱼ/γⱼ = Σ βⱼ/γⱼ = c for every x: the row b/c · 1/γ gives b. null if c is too small, or a
 * γ is, to do it without loss.
 */
function foldBias(weight: Tensor, bias: Tensor, norm: HubHead['norm']): Tensor | null {
  if (bias.abs().amax().item() === 0) return weight;
  if (!norm) return null;
  const scale = norm.scale.detach().toFlatArray() as number[];
  const shift = norm.shift.detach().toFlatArray() as number[];
  const c = shift.reduce((sum, beta, j) => sum + beta / scale[j], 0);
  // |b/c| · Σ |xⱼ/γⱼ| is how far a rounding of 6e-8 is magnified, n being of size 1: at 500 to 3e-5.
  const magnified = (bias.abs().amax().item() * scale.length) / Math.abs(c);
  if (!(magnified < 500) || scale.some((gamma) => Math.abs(gamma) < 1e-3)) return null;
  const [classes, d] = weight.shape;
  const folded = weight.clone(); // [classes, d]
  const data = folded.storage.writable;
  const b = bias.toFlatArray() as number[];
  for (let i = 0; i < classes; i++) {
    for (let j = 0; j < d; j++) data[i * d + j] += b[i] / (c * scale[j]);
  }
  return folded;
}
