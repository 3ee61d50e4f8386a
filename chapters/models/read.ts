import { io, nn, noGrad, type Tensor, tensor, UserError } from '../../lib/index.ts';
import type { CommonSizes, Family, Found, LanguageModel } from './family.ts';
import { GEMMA3 } from './gemma3.ts';
import { GPT2 } from './gpt2.ts';
import { HARMLESS_METADATA, HARMLESS_SETTINGS } from './harmless.ts';
import { LLAMA } from './llama.ts';
import { QWEN3 } from './qwen3.ts';
import { Settings } from './settings.ts';
import { countBlocks, findTensors, nameIn, type Place, placesOf, stateFrom } from './tensors.ts';

/**
 * Models from the two kinds of files. The order is the same for both: find the family; read the sizes and compare them with the
 * file's tensors; make a model of that size, which takes no memory yet; find a place in it for every tensor; and only then read
 * the numbers.
 */

/** The families that can be read. CONTRIBUTING says how to add one. */
export const FAMILIES: readonly Family[] = [GPT2, LLAMA, QWEN3, GEMMA3] as unknown as readonly Family[];

/** A model from a folder of the Hugging Face hub: `config.json`, and `model.safetensors` or its parts and their index. */
export function readFolder(folder: io.Folder): { model: LanguageModel; config: Settings } {
  const config = new Settings(
    io.readJsonIn(folder, 'config.json', "the model's sizes"),
    io.nameIn(folder, 'config.json'),
  );
  const family = familyOf(config, 'model_type', ({ name }) => name);
  const weights = io.openWeightsIn(folder);
  try {
    const file = `${folder.name} (${family.name})`;
    const shapes = new Map(Array.from(weights, ([name, { shape }]) => [name, shape]));
    const tied = tiedNames(family);
    const [head, embedding] = tied.map((name) => nameIn(shapes, name));
    const isTied = config.flag('tie_word_embeddings', family.tiedByDefault);
    const sizes = family.fromConfig(config, foundIn(shapes, embedding ?? (isTied ? head : undefined), file));
    for (const key of ['is_encoder_decoder', 'tie_encoder_decoder', 'cross_attention_hidden_size'])
      config.only(key, false, null);
    config.only('pruned_heads', {}, null);
    config.harmless(HARMLESS_SETTINGS);
    config.finish();

    const tensors = io.lazyTensors(weights, folder.name);
    // As in transformers: if the two matrices differ, they are two, whatever the configuration says.
    const isOneMatrix = isTied && !(head && embedding && !isEqual(tensors[head], tensors[embedding]));
    const model = makeModel(family, { ...sizes, tied: isOneMatrix });
    putClassifier(model, shapes);
    const places = placesOf(model);
    const names = findTensors(places, shapes, { file, tied: isOneMatrix ? tied : undefined });
    model.loadStateDict(stateFrom(places, names, tensors));
    return { model, config };
  } finally {
    weights.close();
  }
}

/**
 * A model from a GGUF file.
 * @param quantised keeps matrices in their blocks of few bits where the engine multiplies those
 */
export function readGgufModel(file: io.GgufFile, quantised: boolean): LanguageModel {
  const all = new Settings(file.metadata, file.name);
  const family = familyOf(all, 'general.architecture', architectureOf);
  all.only('general.type', 'model');
  all.only('split.count', 0, 1);
  const shapes = new Map(Array.from(file.tensors, ([name, { shape }]) => [name, shape]));
  const found = foundIn(shapes, 'token_embd.weight', file.name);
  const metadata = new Settings(file.metadata, file.name, `${architectureOf(family)}.`);
  const sizes = family.fromGguf(metadata, { ...found, file });
  metadata.harmless([...HARMLESS_METADATA, /^(general|split|tokenizer)\./]);
  metadata.finish();

  const [head] = tiedNames(family).map((name) => ggufName(family, name));
  const tied = !shapes.has(head);
  const model = makeModel(family, { ...sizes, tied });
  const places = placesOf(model).map((place) => ({
    ...place,
    theirs: ggufName(family, place.theirs),
    shape: place.transposed ? place.shape.toReversed() : place.shape,
  }));
  for (const name of family.readWithSizes ?? []) shapes.delete(name);
  const names = findTensors(places, shapes, {
    file: file.name,
    tied: tied ? [head, 'token_embd.weight'] : undefined,
  });
  noGrad(() => fillFromGguf(model, family, places, names, file, quantised));
  return model;
}

const architectureOf = ({ name, architecture = name }: Family): string => architecture;

/** The family that a setting names, by the names that such files have for them. */
function familyOf(settings: Settings, key: string, nameOf: (family: Family) => string): Family {
  const [name, file] = [settings.text(key), settings.name];
  const family = FAMILIES.find((each) => nameOf(each) === name);
  if (family) return family;
  const known = FAMILIES.map(nameOf).join(', ');
  throw new UserError(
    name === undefined
      ? `${file} does not say its ${key}, the kind of model that it is: ${known} can be read`
      : `${file} is of a model of the kind “${name.slice(0, 40)}” (${key}): ${known} can be read`,
  );
}

/** Sizes from a file's tensors, before its settings are believed. @throws UserError if it has no token embedding */
function foundIn(
  shapes: ReadonlyMap<string, readonly number[]>,
  embedding: string | undefined,
  file: string,
): Found {
  const shape = shapes.get(embedding ?? '');
  if (shape?.length !== 2)
    throw new UserError(`${file} has no token embedding: it may be another kind of model, or a part of one`);
  return { blocks: countBlocks(shapes.keys()), vocabulary: shape[0], width: shape[1] };
}

/** The head and the embedding that it may be one with, as the hub calls them. */
function tiedNames(family: Family): [head: string, embedding: string] {
  const embedding = Object.keys(family.gguf).find((name) => family.gguf[name] === 'token_embd')!;
  return ['lm_head.weight', `${embedding}.weight`];
}

/** `model.layers.3.mlp.up_proj.weight` → `blk.3.ffn_up.weight`. */
function ggufName(family: Family, theirs: string): string {
  const [, layer, kind] = /^(.*)\.(\w+)$/.exec(theirs)!;
  const block = /\.(\d+)\./.exec(layer)?.[1] ?? '';
  return `${family.gguf[layer.replace(`.${block}.`, '.N.')].replace('.N.', `.${block}.`)}.${kind}`;
}

/** No random numbers are drawn for what is overwritten at once, and no memory is taken for it yet. */
function makeModel(family: Family, config: CommonSizes): LanguageModel {
  return nn.init.skip(() => family.make(config)).eval();
}

/** A classifier's file has a `score` in the place of the head: as many rows as there are classes. */
function putClassifier(model: LanguageModel, shapes: ReadonlyMap<string, readonly number[]>): void {
  const rows = shapes.get('score.weight')?.[0];
  if (rows === undefined || shapes.has('lm_head.weight')) return;
  const bias = shapes.has('score.bias');
  model.outHead = nn.init.skip(() => new nn.Linear(model.config.embDim, rows, { bias }));
}

function isEqual(a: Tensor, b: Tensor): boolean {
  return a.shape.join() === b.shape.join() && Boolean(a.eq(b).all().item());
}

/** Reads the numbers of each place, in blocks or as float32. */
function fillFromGguf(
  model: LanguageModel,
  family: Family,
  places: readonly Place[],
  names: readonly string[],
  file: io.GgufFile,
  quantised: boolean,
): void {
  const parameters = model.stateDict();
  /** A tensor that is the embedding and the head is read once. */
  const filled = new Set<Tensor>();
  const blocks = new Map<string, nn.Parameter>();
  for (const [i, { ours }] of places.entries()) {
    const stored = file.tensors.get(names[i])!;
    let from = 0;
    for (const { path, rows } of ours) {
      const start = from;
      from += rows;
      const choose = (whole: Tensor) => {
        const part = ours.length === 1 ? whole : whole.narrow(0, start, rows);
        const heads = family.neighbours?.(path, model.config);
        return heads === undefined ? part : unpermuteRows(part, heads);
      };
      const parameter = parameters[path];
      if (quantised && path.endsWith('.weight') && io.canStayQuantised(stored)) {
        const key = `${names[i]} ${start}`;
        const weight = blocks.get(key) ?? new nn.Parameter(io.quantisedTensor(stored, choose), false);
        blocks.set(key, weight);
        (model.getSubmodule(path.replace(/\.weight$/, '')) as nn.Linear | nn.Embedding).weight = weight;
      } else if (!filled.has(parameter)) {
        const numbers = choose(tensor(stored.data).reshape([...stored.shape]));
        const added = family.added?.(path) ?? 0;
        parameter.copyInPlace(added === 0 ? numbers : numbers.sub(added));
        filled.add(parameter);
      }
    }
  }
}

/**
 * llama.cpp keeps the rows of a query or key projection of its architecture `llama` in a different order: the two numbers
 * that rotate together are neighbours there, and half a head apart here (llama/model/02-rope.ts). Mixing the two up gives
 * fluent nonsense, and no error.
 *
 * [h · d, in]: in each head row 2i becomes row i, and row 2i + 1 row i + d/2.
 */
export function unpermuteRows(weight: Tensor, heads: number): Tensor {
  const [rows, width] = weight.shape;
  return weight
    .view(heads, rows / heads / 2, 2, width) // [h, d/2, 2, in]
    .transpose(1, 2) // [h, 2, d/2, in]
    .reshape(rows, width);
}
