/** The questions of the lab's page to its worker, and the worker's own reports. */

export const NO_WEB_ASSEMBLY =
  'this browser has no WebAssembly, which the engine of this page is made of: allow it in the settings, or take another browser';

export interface Settings {
  method: 'lora' | 'last-block' | 'head' | 'full';
  rank: number;
  alpha: number;
  scaling: 'alpha/r' | 'rslora';
  /** Names of the Linears; all, if there is none. */
  targets: string[];
  lr: number;
  seed: number;
  epochs: number;
  batchSize: number;
}

/** A Linear of the model: how far it has moved, and whether it has LoRA. */
export interface Moved {
  path: string;
  /** ‖ΔW‖ / ‖W‖ */
  share: number;
  /** How far A is from where it was drawn, as a share of it, and ‖B‖, which was 0; absent without LoRA. */
  factors?: { aMoved: number; b: number };
}

export interface Matrices {
  path: string;
  /** W and ΔW [in, out], A [in, r], B [r, out]; the last two only with LoRA. */
  inDim: number;
  outDim: number;
  rank: number;
  scaling: number;
  W: Float32Array;
  delta: Float32Array;
  A?: Float32Array;
  B?: Float32Array;
  /** Of ΔW. */
  singular?: number[];
}

export interface Answer {
  probability: number;
  /** With the adapter's strength at 0. */
  before: number;
}

/** How the adapter counts when the model answers. */
export interface Dose {
  /** ΔW is multiplied by it. */
  strength: number;
  /** Directions of each ΔW that are kept; all, if not given. */
  directions?: number;
}

export interface Accuracy {
  train: number;
  valid: number;
  test: number;
}

/** Where the messages come from, in words. */
export interface Source {
  source: string;
  synthetic: boolean;
}

/** A fresh model. */
export interface Begun {
  trainable: number;
  all: number;
  steps: number;
  /** Training messages: a batch cannot have more. */
  messages: number;
  /** Names the training: the same settings on the same messages have the same key. */
  key: string;
  /** The adapters that are on it, and the one that answers. */
  adapters: string[];
  active: string | null;
}

/** How far a training has come when it ends or is paused. */
export interface Trained {
  step: number;
  /** After the last step, over all messages. `seconds` is missing where the page has not seen the whole training. */
  finished?: { accuracy: Accuracy; seconds?: number };
}

/** The worker's answers about a message, on the start page too. */
export interface Questions {
  classify(about: { text: string } & Dose): Answer;
  influence(about: { text: string } & Dose): Promise<{ text: string; change: number }[]>;
}

/** The worker of the start page. */
export interface Classify extends Questions {
  /** Starts the engine and loads the model. The answer names the engine. */
  open(): Promise<string>;
}

/** The worker of the lab. A question that is refused has changed nothing. */
export interface Lab extends Questions {
  /** Starts the engine; loads mini, the tokeniser and the messages. The answer names the engine. */
  open(about: { engine: 'CPU' | 'GPU' }): Promise<string>;
  /** The user's own messages, from now on. The answer has the number of those to train on. */
  useData(about: { name: string; bytes: Uint8Array }): Promise<{ messages: number }>;
  reset(about: Settings): Promise<Begun & Source>;
  /** Trains that many steps, or to the end, and answers when it has stopped. */
  train(about: { steps?: number }): Promise<Trained>;
  /** Puts the fresh model where a checkpoint was. The answer has the losses so far. */
  goOn(about: { checkpoint: Uint8Array }): { losses: number[] };
  /** Stops a training after the step under way, and what counts an accuracy. */
  pause(): void;
  moved(): Moved[];
  matrices(about: { path: string }): Matrices;
  accuracy(about: Dose): Promise<Accuracy>;
  merge(about: { text: string }): { difference: number; apartMs: number; mergedMs: number };
  /** PEFT's two files and the classifier's settings, by name. */
  adapterFiles(): Promise<{ files: Record<string, Uint8Array>; notes: string[] }>;
  loadAdapter(about: { name: string; files: Record<string, Uint8Array> }): void;
  setAdapter(about: { name: string | null }): void;
}

/** Reports, beside the answers. */
export type Report =
  | { loading: string }
  | { step: number; steps: number; loss: number; ms: number; memoryMiB: number }
  | { step: number; validLoss: number; validAccuracy: number }
  /** A checkpoint was written. */
  | { kept: { key: string; step: number; checkpoint: Uint8Array } };
