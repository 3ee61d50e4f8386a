import type { Kernels } from '../kernels.ts';
import { Storage, type TypedArray } from '../storage.ts';
import { type Args, Held, mapStorages } from './args.ts';
import { runOnCpu } from './cpu.ts';
import { Value } from './value.ts';

/**
 * How a device that is lost in the middle of a training run costs time but no result: every value knows the
 * kernel and the arguments that it was computed from, down to arrays that the host has. On a loss, what is
 * still in use is computed again on the CPU from there.
 *
 * A value's history lives as long as somebody can reach the value, so activations' histories go with them.
 * Only what is updated in place, step after step, would have an ever longer one: parameters and the
 * optimiser's moments. From time to time they are brought home, which cuts it off: see checkpoint.ts.
 */
export interface Recipe {
  readonly name: keyof Kernels;
  /** The kernel's arguments with a `Held<Source>` for each storage. */
  readonly args: Args;
  /** Recipes are made in this order and can be followed in this order. */
  readonly order: number;
}

/** Numbers on the device, or, for what never went there, a copy of those on the host. */
type Source = Value | TypedArray;

export class Journal {
  #order = 0;

  /** Entries made so far: how long the longest history may be. */
  get length(): number {
    return this.#order;
  }

  /** Notes how `results` were computed. To be called before a kernel's results are put in their places. */
  record(name: keyof Kernels, args: Args, results: readonly Value[]): void {
    const held = mapStorages(args, (storage: Storage) => new Held<Source>(sourceOf(storage)));
    const recipe: Recipe = { name, args: held, order: this.#order++ };
    for (const [place, value] of results.entries()) {
      value.recipe = recipe;
      value.place = place;
    }
  }
}

function sourceOf(storage: Storage): Source {
  return (storage.deviceCopy('gpu') as Value | undefined) ?? storage.data.slice();
}

/** The values whose numbers are needed to follow the recipe. */
function inputsOf(recipe: Recipe): Value[] {
  const inputs: Value[] = [];
  mapStorages(recipe.args, (held: Held<Source>) => {
    if (held.value instanceof Value) inputs.push(held.value);
  });
  return inputs;
}

/** All recipes to follow for these values, in the order in which they were made. */
function recipesFor(values: readonly Value[]): Recipe[] {
  const recipes = new Set<Recipe>();
  const open = [...values];
  // Without recursion: a history is as deep as the run is long since the checkpoint before the last.
  for (let value = open.pop(); value; value = open.pop()) {
    if (value.host || !value.recipe || recipes.has(value.recipe)) continue;
    recipes.add(value.recipe);
    open.push(...inputsOf(value.recipe));
  }
  return [...recipes].sort((a, b) => a.order - b.order);
}

/** Computes these values on the CPU and leaves their numbers in `host`. */
export function recompute(values: readonly Value[]): void {
  const recipes = recipesFor(values);
  const uses = new Map<Recipe, number>();
  for (const value of [...values, ...recipes.flatMap(inputsOf)]) {
    if (value.recipe) uses.set(value.recipe, (uses.get(value.recipe) ?? 0) + 1);
  }
  const results = new Map<Recipe, TypedArray[]>();
  const numbersOf = (value: Value): TypedArray => {
    if (value.host) return value.host;
    if (!value.recipe) return Storage.zeros(value.dtype, value.length).data;
    const numbers = results.get(value.recipe)![value.place];
    const left = uses.get(value.recipe)! - 1;
    uses.set(value.recipe, left);
    // A step's activations would not all fit beside those of the steps after it.
    if (left === 0) results.delete(value.recipe);
    return numbers;
  };
  for (const recipe of recipes) {
    const args = mapStorages(recipe.args, ({ value }: Held<Source>) =>
      Storage.of(value instanceof Value ? numbersOf(value) : value),
    );
    results.set(recipe, runOnCpu(recipe.name, args));
  }
  for (const value of values) value.host ??= numbersOf(value);
}

/** Forgets how these values were computed: from now on the numbers on the host stand for that. */
export function cutHistory(values: readonly Value[], numbers: readonly TypedArray[]): void {
  for (const [i, value] of values.entries()) {
    value.host = numbers[i];
    value.recipe = undefined;
  }
}
