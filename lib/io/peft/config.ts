import { UserError } from '../../errors.ts';

/** What `adapter_config.json` says, as far as a plain LoRA needs it. Missing keys have PEFT's defaults. */
export interface PeftConfig {
  /** The base model's name on the hub, or its path. */
  base: string;
  /** r, of every module that no pattern gives another. */
  rank: number;
  /** The update is scaled by alpha / r. */
  alpha: number;
  /** The rate at which the update's input is dropped while training. */
  dropout: number;
  /** Is the update scaled by alpha / √r instead (rsLoRA)? */
  rankStabilised: boolean;
  /** Other ranks for modules whose name a pattern matches. */
  rankPattern: Readonly<Record<string, number>>;
  /** Other alphas, likewise. */
  alphaPattern: Readonly<Record<string, number>>;
  /** Names, or a regular expression for whole names; null is the default for this kind of model. */
  targets: string | readonly string[] | null;
  /** Modules that are left alone although they are targets; given like `targets`. */
  excluded: string | readonly string[] | null;
  /** Only blocks of these numbers; null for all. */
  layers: readonly number[] | null;
  /** What the list of blocks is called in the names of modules, e.g. `h`. */
  layersPattern: readonly string[];
  /** Modules that are trained and saved whole, e.g. a classifier's head. */
  modulesToSave: readonly string[];
}

/** What makes an adapter more than the product of A and B, by its key in the configuration. */
const NOT_PLAIN = [
  ...['use_dora', 'use_qalora', 'use_bdlora', 'lora_bias', 'trainable_token_indices', 'target_parameters'],
  ...['layer_replication', 'alora_invocation_tokens', 'arrow_config', 'kasa_config', 'monteclora_config'],
];

/** Initialisations that change the base model's weights too, so that the adapter does not fit the base as it is. */
const CHANGES_THE_BASE = /^(pissa|olora|corda|loftq|lora_ga|kasa)/;

/** @throws UserError that names what is missing, damaged, or not plain LoRA */
export function parsePeftConfig(json: Record<string, unknown>, name: string): PeftConfig {
  const fault = (what: string) => new UserError(`${name}: ${what}`);
  const type = json.peft_type;
  if (typeof type !== 'string')
    throw fault("it has no peft_type, so it is not a PEFT adapter's configuration");
  if (type !== 'LORA') throw fault(`an adapter of the kind ${oneLine(type)} is not read here, only LORA`);
  for (const [key, value] of Object.entries(json)) {
    if (isOff(value)) continue;
    const unknownKind = /^use_(?!rslora$)/.test(key);
    if (NOT_PLAIN.includes(key) || unknownKind)
      throw fault(`${oneLine(key)} is set, and only plain LoRA is read here`);
  }
  const bias = json.bias ?? 'none';
  if (bias !== 'none') throw fault(`bias is ${show(bias)}, and only plain LoRA, with none, is read here`);
  const init = json.init_lora_weights;
  if (typeof init === 'string' && CHANGES_THE_BASE.test(init.toLowerCase())) {
    throw fault(
      `init_lora_weights is ${show(init)}, which changes the base model too; convert it to plain LoRA in PEFT`,
    );
  }

  const positive = (key: string, value: unknown) => {
    if (Number.isSafeInteger(value) && (value as number) > 0) return value as number;
    throw fault(`${key} is ${show(value)}, not a positive whole number`);
  };
  const finite = (key: string, value: unknown) => {
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    throw fault(`${key} is ${show(value)}, not a number`);
  };
  const names = (key: string, value: unknown): string | readonly string[] | null => {
    if (value === undefined || value === null || typeof value === 'string') return value ?? null;
    if (Array.isArray(value) && value.every((each) => typeof each === 'string')) return value;
    throw fault(`${key} is ${show(value)}, not names`);
  };
  const pattern = (key: string, check: (key: string, value: unknown) => number): Record<string, number> => {
    const value = json[key] ?? {};
    if (typeof value !== 'object' || Array.isArray(value))
      throw fault(`${key} is ${show(value)}, not numbers by name`);
    return Object.fromEntries(
      Object.entries(value as object).map(([each, n]) => [each, check(`${key} of ${each}`, n)]),
    );
  };
  const list = (value: string | readonly string[] | null) =>
    typeof value === 'string' ? [value] : (value ?? []);

  const dropout = finite('lora_dropout', json.lora_dropout ?? 0);
  if (!(dropout >= 0 && dropout <= 1)) throw fault(`lora_dropout is ${dropout}, not between 0 and 1`);
  const rankStabilised = json.use_rslora ?? false;
  if (typeof rankStabilised !== 'boolean')
    throw fault(`use_rslora is ${show(rankStabilised)}, not true or false`);
  const layers = json.layers_to_transform ?? null;
  const isLayers = (value: unknown[]) => value.every((each) => Number.isSafeInteger(each));
  if (layers !== null && !isLayers([layers].flat()))
    throw fault(`layers_to_transform is ${show(layers)}, not numbers`);
  return {
    base:
      typeof json.base_model_name_or_path === 'string'
        ? oneLine(json.base_model_name_or_path)
        : 'another model',
    rank: positive('r', json.r ?? 8),
    alpha: finite('lora_alpha', json.lora_alpha ?? 8),
    dropout,
    rankStabilised,
    rankPattern: pattern('rank_pattern', positive),
    alphaPattern: pattern('alpha_pattern', finite),
    targets: names('target_modules', json.target_modules),
    excluded: names('exclude_modules', json.exclude_modules),
    layers:
      layers === null || (Array.isArray(layers) && layers.length === 0)
        ? null
        : ([layers].flat() as number[]),
    layersPattern: list(names('layers_pattern', json.layers_pattern)),
    modulesToSave: list(names('modules_to_save', json.modules_to_save)),
  };
}

function isOff(value: unknown): boolean {
  if (value === null || value === undefined || value === false) return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

function show(value: unknown): string {
  return oneLine(JSON.stringify(value) ?? 'nothing');
}

function oneLine(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  return line.length > 60 ? `${line.slice(0, 60)}…` : line;
}
