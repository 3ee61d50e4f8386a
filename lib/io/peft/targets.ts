import type { PeftConfig } from './config.ts';
import { pythonFullMatch, pythonMatch } from './pythonRegex.ts';

/** Which of a model's layers a configuration means: PEFT's rules (its `check_target_module_exists`). */

/** Is the layer of that name a target? null if the configuration does not say. */
export function isTarget(config: PeftConfig, name: string, isHead: boolean): boolean | null {
  const { targets, excluded } = config;
  if (targets === null) return null;
  if (excluded !== null && excluded.length > 0 && matches(excluded, name)) return false;
  if (config.modulesToSave.some((saved) => pythonMatch(withinSaved(saved), name))) return false;
  if (isAllLinear(targets)) return !isHead;
  const isFound = matches(targets, name);
  return isFound && typeof targets !== 'string' && config.layers !== null
    ? isInLayers(config, name)
    : isFound;
}

/** Every linear layer but the head. */
const isAllLinear = (targets: PeftConfig['targets']) =>
  typeof targets === 'string' && targets.toLowerCase() === 'all-linear';

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
  const key = Object.keys(patterns).find((pattern) => pythonMatch(atTheEnd(pattern), name));
  return key === undefined ? common : patterns[key];
}

function matches(wanted: string | readonly string[], name: string): boolean {
  if (typeof wanted === 'string') return pythonFullMatch(wanted, name);
  return wanted.some((each) => name === each || name.endsWith(`.${each}`));
}

/**
 * Reads each regular expression of a configuration once.
 * @throws UserError if one is not Python's, or not supported here
 */
export function checkExpressions(config: PeftConfig): void {
  const { targets, excluded, modulesToSave, layersPattern, rankPattern, alphaPattern } = config;
  const whole = [targets, excluded].filter((each) => typeof each === 'string' && !isAllLinear(each));
  const expressions = [
    ...(whole as string[]),
    ...modulesToSave.map(withinSaved),
    ...(config.layers === null ? [] : layersPattern.map(beforeNumber)),
    ...Object.keys(rankPattern).map(atTheEnd),
    ...Object.keys(alphaPattern).map(atTheEnd),
  ];
  for (const expression of expressions) pythonMatch(expression, '');
}

// As PEFT puts them together.
const withinSaved = (saved: string) => `(^|.*\\.)${saved}($|\\..*)`;
const atTheEnd = (pattern: string) => `(.*\\.)?(${pattern})$`;
const beforeNumber = (pattern: string) => `(?:^|.*?\\.)${pattern}\\.(?P<idx>\\d+)\\.`;

function isInLayers({ layers, layersPattern }: PeftConfig, name: string): boolean {
  const expressions =
    layersPattern.length > 0 ? layersPattern.map(beforeNumber) : ['.*?\\.[^.]*\\.(?P<idx>\\d+)\\.'];
  for (const expression of expressions) {
    const found = pythonMatch(expression, name);
    if (found) return layers!.includes(Number(found.groups!.idx));
  }
  return false;
}
