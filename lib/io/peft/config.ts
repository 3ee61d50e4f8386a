import { UserError } from '../../errors.ts';
import { checkExpressions } from './targets.ts';

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
  /** Does a head that is tied to an embedding stay so: is it brought whole with it? */
  ensureWeightTying: boolean;
}

/** What makes an adapter more than the product of A and B, by its key in the configuration. */
const NOT_PLAIN = [
  ...['use_dora', 'use_qalora', 'use_bdlora', 'lora_bias', 'trainable_token_indices', 'target_parameters'],
  ...['layer_replication', 'alora_invocation_tokens', 'arrow_config', 'kasa_config', 'monteclora_config'],
];

/** What is read below. */
const USED = [
  ...[
    'peft_type',
    'base_model_name_or_path',
    'r',
    'lora_alpha',
    'lora_dropout',
    'use_rslora',
    'rank_pattern',
  ],
  ...['alpha_pattern', 'target_modules', 'exclude_modules', 'layers_to_transform', 'layers_pattern'],
  ...['modules_to_save', 'bias', 'init_lora_weights', 'ensure_weight_tying'],
];

/** What changes no number of a trained adapter: where it comes from, how it was begun, how PEFT lays out its own layers. */
const HARMLESS = [
  ...[
    'auto_mapping',
    'revision',
    'task_type',
    'inference_mode',
    'peft_version',
    'runtime_config',
    'fan_in_fan_out',
  ],
  ...['loftq_config', 'eva_config', 'corda_config', 'lora_ga_config', 'velora_config', 'qalora_group_size'],
  ...['megatron_config', 'megatron_core'],
];

/** Initialisations that change the base model's weights too, so that the adapter does not fit the base as it is. */
const CHANGES_THE_BASE = /^(pissa|olora|corda|loftq|lora_ga|kasa)/;

/** Initialisations that leave it alone. What A and B have become is in the file. */
const LEAVES_THE_BASE = /^(gaussian|eva|orthogonal|mica)$/;

/** @throws UserError that names what is missing, damaged, or not plain LoRA */
export function parsePeftConfig(json: Record<string, unknown>, name: string): PeftConfig {
  const fault = (what: string) => new UserError(`${name}: ${what}`);
  const type = json.peft_type;
  if (typeof type !== 'string')
    throw fault("it has no peft_type, so it is not a PEFT adapter's configuration");
  if (type !== 'LORA') throw fault(`an adapter of the kind ${oneLine(type)} is not read here, only LORA`);
  for (const [key, value] of Object.entries(json)) {
    if (isOff(value)) continue;
    if (USED.includes(key) || HARMLESS.includes(key)) continue;
    const isKnown = NOT_PLAIN.includes(key) || key.startsWith('use_');
    throw fault(
      `${oneLine(key)} is set, and ${isKnown ? 'only plain LoRA is read here' : 'that is not known here'}`,
    );
  }
  const bias = json.bias ?? 'none';
  if (bias !== 'none') throw fault(`bias is ${show(bias)}, and only plain LoRA, with none, is read here`);
  const init = json.init_lora_weights;
  if (typeof init === 'string' && CHANGES_THE_BASE.test(init.toLowerCase())) {
    throw fault(
      `init_lora_weights is ${show(init)}, which changes the base model too; convert it to plain LoRA in PEFT`,
    );
  }
  const isKnownInit =
    init === undefined ||
    init === null ||
    typeof init === 'boolean' ||
    LEAVES_THE_BASE.test(String(init).toLowerCase());
  if (!isKnownInit) throw fault(`init_lora_weights is ${show(init)}, which is not known here`);

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
    typeof value === 'string' ? [value].filter(Boolean) : (value ?? []);
  const flag = (key: string) => {
    const value = json[key] ?? false;
    if (typeof value === 'boolean') return value;
    throw fault(`${key} is ${show(value)}, not true or false`);
  };

  const dropout = finite('lora_dropout', json.lora_dropout ?? 0);
  if (!(dropout >= 0 && dropout <= 1)) throw fault(`lora_dropout is ${dropout}, not between 0 and 1`);
  const layers = json.layers_to_transform ?? null;
  const isLayers = (value: unknown[]) => value.every((each) => Number.isSafeInteger(each));
  if (layers !== null && !isLayers([layers].flat()))
    throw fault(`layers_to_transform is ${show(layers)}, not numbers`);
  const hasLayers = layers !== null && [layers].flat().length > 0;
  const layersPattern = list(names('layers_pattern', json.layers_pattern));
  if (typeof json.target_modules === 'string' && (layers !== null || layersPattern.length > 0))
    throw fault(
      'layers_to_transform and layers_pattern go with a list of target_modules, not with an expression',
    );
  if (layersPattern.length > 0 && layers === null)
    throw fault('layers_pattern is given without layers_to_transform');
  const config: PeftConfig = {
    base:
      typeof json.base_model_name_or_path === 'string'
        ? oneLine(json.base_model_name_or_path)
        : 'another model',
    // PEFT takes 8 for what is missing, and cannot divide by what is null.
    rank: positive('r', json.r === undefined ? 8 : json.r),
    alpha: finite('lora_alpha', json.lora_alpha === undefined ? 8 : json.lora_alpha),
    dropout,
    rankStabilised: flag('use_rslora'),
    rankPattern: pattern('rank_pattern', positive),
    alphaPattern: pattern('alpha_pattern', finite),
    targets: names('target_modules', json.target_modules),
    excluded: names('exclude_modules', json.exclude_modules),
    layers: hasLayers ? ([layers].flat() as number[]) : null,
    layersPattern,
    modulesToSave: list(names('modules_to_save', json.modules_to_save)),
    ensureWeightTying: flag('ensure_weight_tying'),
  };
  try {
    checkExpressions(config);
  } catch (error) {
    throw error instanceof UserError ? fault(error.message) : error;
  }
  return config;
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
