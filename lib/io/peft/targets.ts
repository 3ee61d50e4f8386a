import type { PeftConfig } from './config.ts';

/** Which of a model's layers a configuration means: PEFT's rules (its `check_target_module_exists`). */

/**
 * Is the layer of that name a target? null if the configuration does not say, or in a regular expression that only
 * Python understands.
 */
export function isTarget(config: PeftConfig, name: string, isHead: boolean): boolean | null {
  const { targets, excluded } = config;
  if (targets === null) return null;
  if (excluded !== null) {
    const isExcluded = matches(excluded, name);
    if (isExcluded !== false) return isExcluded === null ? null : false;
  }
  if (config.modulesToSave.some((saved) => `.${name}.`.includes(`.${saved}.`))) return false;
  if (targets === 'all-linear') return !isHead;
  const found = matches(targets, name);
  return found === true && typeof targets !== 'string' && config.layers !== null
    ? isInLayers(config, name)
    : found;
}

/** Does the configuration bring the layer of that name whole? PEFT takes `norm` to mean every name that ends in it. */
export function isSaved(config: PeftConfig, name: string): boolean {
  return config.modulesToSave.some((saved) => name.endsWith(saved));
}

/** The value of the first pattern that matches the name, or the common one. */
export function patternValue(
  patterns: Readonly<Record<string, number>>,
  name: string,
  common: number,
): number {
  const key = Object.keys(patterns).find((pattern) => fullMatch(`(.*\\.)?(${pattern})`, name));
  return key === undefined ? common : patterns[key];
}

function matches(wanted: string | readonly string[], name: string): boolean | null {
  if (typeof wanted === 'string') return fullMatch(wanted, name);
  return wanted.some((each) => name === each || name.endsWith(`.${each}`));
}

/** Python's re.fullmatch; null if JavaScript does not understand the expression. */
function fullMatch(expression: string, name: string): boolean | null {
  const source = expression.replaceAll('(?P<', '(?<');
  try {
    return new RegExp(`^(?:${source})$`).test(name);
  } catch {
    return null;
  }
}

function isInLayers({ layers, layersPattern }: PeftConfig, name: string): boolean {
  const patterns = layersPattern.length > 0 ? layersPattern : ['[^.]*'];
  for (const pattern of patterns) {
    let found: RegExpExecArray | null = null;
    try {
      found = new RegExp(`^.*\\.${pattern}\\.(\\d+)\\.`).exec(name);
    } catch {
      continue;
    }
    if (found) return layers!.includes(Number(found.at(-1)));
  }
  return false;
}
