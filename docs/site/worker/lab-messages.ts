/** What the lab's page asks of its worker, and what the worker reports by itself. */

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

/** The worker's functions: each takes one object and answers with another. */
export interface Lab {
  /** Starts the engine; loads mini, the tokeniser and the messages. */
  open(about: { engine: 'CPU' | 'GPU'; data?: { name: string; bytes: Uint8Array } }): {
    engine: string;
    source: string;
    synthetic: boolean;
  };
  reset(about: Settings): { trainable: number; all: number; steps: number; isKept: boolean };
  /** Trains that many steps, or to the end. `goOn` begins at the last checkpoint. */
  train(about: { steps?: number; goOn?: boolean }): { step: number };
  pause(about: object): object;
  moved(about: object): { layers: Moved[] };
  matrices(about: { path: string }): Matrices;
  classify(about: { text: string } & Dose): Answer;
  influence(about: { text: string } & Dose): { tokens: { text: string; change: number }[] };
  accuracy(about: Dose): { train: number; valid: number; test: number };
  merge(about: { text: string }): { difference: number; apartMs: number; mergedMs: number };
  /** PEFT's two files and the classifier's settings, by name. */
  adapterFiles(about: object): { files: Record<string, Uint8Array>; notes: string[] };
  loadAdapter(about: { name: string; files: Record<string, Uint8Array> }): object;
  setAdapter(about: { name: string | null }): object;
}

export type Ask = { [K in keyof Lab]: { id: number; name: K; about: Parameters<Lab[K]>[0] } }[keyof Lab];

export type Told =
  | { id: number; answer: unknown }
  | { id: number; mistake: string }
  | { loading: string }
  | { step: number; steps: number; loss: number; ms: number; memoryMiB: number }
  | { step: number; validLoss: number; validAccuracy: number }
  | { kept: string; bytes: Uint8Array }
  | { finished: { step: number; accuracy: { train: number; valid: number; test: number }; seconds: number } };
