import { cat, firstFew, type io, noGrad, type Tensor, UserError } from '../../lib/index.ts';
import { HARMLESS_TENSORS } from './harmless.ts';

/**
 * The tensors of a model's file. The same rule as for settings: each is used, or changes nothing, or is named in the line
 * that refuses the file; and each that the model needs is there, in its shape, before memory is taken for any.
 */

/** A tensor of a file, and the parameters that it fills here. */
export interface Place {
  /** Its name in the file. */
  theirs: string;
  /** Its shape there. */
  shape: readonly number[];
  /** Paths of parameters here. Several lie one behind the other there: the rows of query, key and value. */
  ours: readonly { path: string; rows: number }[];
  /** Is it [in, out] there, where a Linear here has [out, in]? */
  transposed: boolean;
}

/** All tensors of a model as the Hugging Face hub's layout has them (`hubLayout` of the model's class). */
export function placesOf(model: io.HubModel): Place[] {
  const state = model.stateDict();
  const places: Place[] = [];
  const add = (theirs: string, paths: readonly string[], transposed: boolean) => {
    const ours = paths.filter((path) => state[path]).map((path) => ({ path, rows: state[path].shape[0] }));
    if (ours.length === 0) return;
    const rows = ours.reduce((sum, part) => sum + part.rows, 0);
    const rest = state[ours[0].path].shape.slice(1);
    places.push({ theirs, ours, transposed, shape: transposed ? [...rest, rows] : [rows, ...rest] });
  };
  const { linears, others } = model.hubLayout();
  for (const { name, ours, transposed } of linears) {
    for (const kind of ['weight', 'bias']) {
      const paths = ours.map((path) => `${path}.${kind}`);
      add(`${name}.${kind}`, paths, transposed && kind === 'weight');
    }
  }
  for (const { name, ours, parameters } of others) {
    for (const [there, here] of Object.entries(parameters))
      add(`${name}.${there}`, [`${ours}.${here}`], false);
  }
  return places;
}

/**
 * Finds the tensor of each place in a file.
 * @param shapes of the tensors that the file has, by name
 * @param tied what stands in for a head that is not in the file: the token embedding, and the other way round
 * @returns the names in the file, in the order of the places
 * @throws UserError that names what is missing, what has no place here, and what has another shape
 */
export function findTensors(
  places: readonly Place[],
  shapes: ReadonlyMap<string, readonly number[]>,
  { file, tied }: { file: string; tied?: readonly [head: string, embedding: string] },
): string[] {
  const left = new Set(shapes.keys());
  const missing: string[] = [];
  const wrong: string[] = [];
  const found = places.map(({ theirs, shape }) => {
    const other = tied?.includes(theirs) ? tied.find((name) => name !== theirs) : undefined;
    const name = nameIn(shapes, theirs) ?? (other && nameIn(shapes, other));
    if (name === undefined) missing.push(theirs);
    else {
      left.delete(name);
      const there = shapes.get(name)!;
      if (there.join() !== shape.join())
        wrong.push(`${name} is [${there.join(', ')}], expected [${shape.join(', ')}]`);
    }
    return name ?? '';
  });
  for (const name of tied ?? []) left.delete(nameIn(shapes, name) ?? '');
  const unexpected = [...left].filter((name) => !HARMLESS_TENSORS.some((harmless) => harmless.test(name)));
  const problems = [
    missing.length > 0 && `missing keys: ${firstFew(missing)}`,
    unexpected.length > 0 && `unexpected keys: ${firstFew(unexpected)}`,
    wrong.length > 0 && `wrong shapes: ${firstFew(wrong, '; ')}`,
  ].filter(Boolean);
  if (problems.length === 0) return found;
  throw new UserError(`${file} does not fit the model: ${problems.join(' · ')}`);
}

/** A tensor's name in a file. Some files leave out the inner model's name, `transformer.` or `model.`. */
export function nameIn(shapes: ReadonlyMap<string, unknown>, theirs: string): string | undefined {
  if (shapes.has(theirs)) return theirs;
  const without = theirs.replace(/^(transformer|model)\./, '');
  return shapes.has(without) ? without : undefined;
}

/** Our parameters from tensors in the hub's layout, as views where possible. */
export function stateFrom(
  places: readonly Place[],
  names: readonly string[],
  tensors: Readonly<Record<string, Tensor>>,
): Record<string, Tensor> {
  const state: Record<string, Tensor> = {};
  for (const [i, { ours, transposed }] of places.entries()) {
    const stored = tensors[names[i]];
    const whole = transposed ? stored.t() : stored; // [rows, …]
    let from = 0;
    for (const { path, rows } of ours) {
      state[path] = ours.length === 1 ? whole : whole.narrow(0, from, rows);
      from += rows;
    }
  }
  return state;
}

/** The way back: a model's weights under the names of the hub, as new tensors where ours are several there. */
export function tensorsForHub(model: io.HubModel): Record<string, Tensor> {
  return noGrad(() => {
    const state = model.stateDict();
    const entries = placesOf(model).map(({ theirs, ours, transposed }) => {
      const rows = ours.map(({ path }) => state[path]);
      const whole = rows.length === 1 ? rows[0] : cat(rows, 0);
      return [theirs, transposed ? whole.t() : whole] as const;
    });
    return Object.fromEntries(entries);
  });
}

/** How many blocks a file's tensors belong to, by the numbers in their names. */
export function countBlocks(names: Iterable<string>): number {
  const numbers = new Set<string>();
  for (const name of names) {
    const number = /(?:^|\.)(?:layers|h|blk|trf_blocks)\.(\d+)\./.exec(name)?.[1];
    if (number !== undefined) numbers.add(number);
  }
  return numbers.size;
}
