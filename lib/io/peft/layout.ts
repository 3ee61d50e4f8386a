import type { Module } from '../../nn/module.ts';
import type { Tensor } from '../../tensor/tensor.ts';

/**
 * What a model's layers are called in the same model at Hugging Face. A model that says so can read PEFT's adapters and
 * write them.
 */
export interface HubLayout {
  /** The Linears, the head among them, in the order of the model there. */
  linears: readonly HubLinear[];
  /** What else an adapter may bring as a whole: embeddings and norms. */
  others: readonly HubModule[];
  /** The last layer: a language model's head, or a classifier's. */
  head: HubHead;
}

/** A layer there, and the Linears here that are it. */
export interface HubLinear {
  /** Its whole name there, e.g. `transformer.h.0.attn.c_attn`. */
  name: string;
  /** Paths here. Several if their outputs, one after the other, are its output: query, key and value. */
  ours: readonly string[];
  /** Is its weight [in, out] there (GPT-2's Conv1D)? PEFT calls it fan_in_fan_out. */
  transposed: boolean;
}

/** An embedding or a norm. */
export interface HubModule {
  /** Its whole name there, e.g. `transformer.ln_f`. */
  name: string;
  /** Its path here. */
  ours: string;
  /** Name of a parameter there → here, e.g. `weight` → `scale`. */
  parameters: Readonly<Record<string, string>>;
}

/** The last layer. */
export interface HubHead {
  /** Its path here. */
  ours: string;
  /** Its name there as a language model's head, e.g. `lm_head`. */
  languageModel: string;
  /** Its name there as a classifier's head, which has no bias, e.g. `score`. */
  classifier: string;
  /** Is it a classifier's, with a few outputs, rather than a language model's? */
  isClassifier: boolean;
  /** Scale γ [d] and shift β [d] of the norm in front of it, if it is a layer norm. */
  norm: HubNorm | null;
}

/** A layer norm in front of the head. */
export interface HubNorm {
  /** γ [d]. */
  scale: Tensor;
  /** β [d]. */
  shift: Tensor;
}

/** A model that says what its layers are called at Hugging Face. */
export interface HubModel extends Module {
  /** The names of its layers there. */
  hubLayout(): HubLayout;
}

/** The module that holds the one of a path, and its name in there. */
export function parentOf(model: Module, path: string): [Module, string] {
  const dot = path.lastIndexOf('.');
  return [model.getSubmodule(path.slice(0, Math.max(0, dot))), path.slice(dot + 1)];
}
