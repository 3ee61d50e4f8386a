import { UserError } from './errors.ts';

/**
 * Refuses a key that an options object does not have. Types alone cannot: tsx and plain JavaScript check none, and an
 * option that is silently dropped (`weight_decay` for `weightDecay`) gives another model.
 *
 * @throws UserError that names the unknown key, the one that was probably meant, and all that there are
 */
export function checkOptions<Options extends object>(
  where: string,
  options: Options,
  known: readonly (keyof Options & string)[],
): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new UserError(`${where}: options are given as { ${known.join(', ')} }, not as ${String(options)}`);
  }
  for (const key of Object.keys(options)) {
    if ((known as readonly string[]).includes(key)) continue;
    const meant = known.find((name) => plain(name) === plain(key));
    const hint = meant ? `did you mean ${meant}?` : `it takes ${known.join(', ')}`;
    throw new UserError(`${where}: there is no option ${key}; ${hint}`);
  }
}

/** Without case and underscores, in which Python's names differ from ours. */
function plain(name: string): string {
  return name.replaceAll('_', '').toLowerCase();
}

/** The first three of a list and how many more there are: `a, b, c and 145 more`. */
export function firstFew(items: readonly string[], separator = ', '): string {
  const rest = items.length - 3;
  return items.slice(0, 3).join(separator) + (rest > 0 ? ` and ${rest} more` : '');
}
