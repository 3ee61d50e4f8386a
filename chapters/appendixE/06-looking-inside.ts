import { join } from 'node:path';
import { nn, noGrad, type Tensor, tensor } from '../../lib/index.ts';
import type { GPTModel } from '../chapter04/index.ts';
import { tokeniser } from '../chapter05/index.ts';
import { plotFamilies, plotMaps } from '../common/plot-panels.ts';
import { formatTable } from '../common/table.ts';
import { isGpt, type LanguageModel } from '../models/family.ts';
import { singularValues } from './singular-values.ts';

/** What an adapter has done to a layer. */
export interface LayerChange {
  /** `trf_blocks.3.att.W_query`. */
  path: string;
  /** The block's number, or `head`. */
  block: string;
  /** The layer's name in its block: `W_query`. */
  module: string;
  rank: number;
  /** ‖ΔW‖ and ‖W‖, the roots of the sums of squares. */
  change: number;
  weight: number;
  /** Of ΔW, the largest first. */
  singular: number[];
}

/** Each layer that the active adapter changes, in the order of the model. */
export function measureChanges(model: LanguageModel): LayerChange[] {
  return noGrad(() =>
    Array.from(model.namedModules()).flatMap(([path, module]) => {
      if (!(module instanceof nn.LinearWithLoRA) || !module.active) return [];
      const [, block = 'head', own = path] = /^trf_blocks\.(\d+)\.(?:att|ff)\.(.*)$/.exec(path) ?? [];
      return {
        path,
        block,
        module: own,
        rank: module.active.rank,
        change: module.active.delta().norm().item(),
        weight: module.weight.norm().item(),
        singular: singularValues(module.active),
      };
    }),
  );
}

/** The attention weights of one block for a text's ids: [t] → [heads, t, t], each row of which sums to 1. */
export function attentionWeights(model: GPTModel, ids: readonly number[], block: number): Tensor {
  return noGrad(() => {
    const blocks = [...model.trfBlocks];
    let x = model.embed(tensor([ids], { dtype: 'int32' })); // [1, t] → [1, t, d]
    for (const each of blocks.slice(0, block)) x = each.forward(x);
    const { att, norm1 } = blocks[block];
    const { queries, keys } = att.project(norm1.forward(x)); // [1, h, t, d/h] each
    return att.weights(queries, keys).squeeze(0); // [1, h, t, t] → [h, t, t]
  });
}

export interface AttentionChange {
  block: number;
  head: number;
  tokens: string[];
  /** Shares from 0 to 1, [t][t]: how much each token takes from those up to itself. */
  before: number[][];
  after: number[][];
}

/** Most tokens that are drawn. */
const MOST_TOKENS = 40;

/** The head whose attention on a text the active adapter has changed most, before and after. */
export function attentionChange(model: GPTModel, text: string, name = 'default'): AttentionChange {
  const ids = tokeniser.encode(text).slice(0, Math.min(MOST_TOKENS, model.config.contextLength));
  const ofAll = () => [...model.trfBlocks].map((_, block) => attentionWeights(model, ids, block));
  const after = ofAll();
  nn.setAdapter(model, null);
  const before = ofAll();
  nn.setAdapter(model, name);
  let [most, block, head] = [-1, 0, 0];
  for (const [i, weights] of after.entries()) {
    const moved = weights.sub(before[i]).abs().sum(-1).mean(-1).toArray() as number[]; // [h, t, t] → [h]
    for (const [j, each] of moved.entries()) if (each > most) [most, block, head] = [each, i, j];
  }
  const share = (weights: Tensor[]) => weights[block].select(0, head).toArray() as number[][]; // [t, t]
  const tokens = ids.map((id) => tokeniser.decode([id]).replaceAll(/\s/g, '␣'));
  return { block, head, tokens, before: share(before), after: share(after) };
}

/**
 * Three pictures of what the active adapter has done, each printed as a table as well: the singular values of every ΔW,
 * how large each is beside its W, and one head's attention before and after. The last is drawn of chapter 3's attention only,
 * so not of a newer model's.
 * @returns the paths of the pictures
 */
export async function showWhatChanged(
  print: (line: string) => void,
  model: LanguageModel,
  folder: string,
  message: string,
): Promise<string[]> {
  const changes = measureChanges(model);
  const drawn = ['singular-values', 'changes', ...(isGpt(model) ? ['attention'] : [])];
  const files = drawn.map((name) => join(folder, `${name}.svg`));
  print(`\nSingular values of ΔW, the largest first\n${singularTable(changes)}`);
  await plotSingular(files[0], changes);
  print(`\n‖ΔW‖ / ‖W‖ in each layer\n${changeTable(changes)}`);
  await plotChanges(files[1], changes);
  if (isGpt(model)) {
    const attention = attentionChange(model, message);
    print(`\n${attentionTables(attention)}`);
    await plotAttention(files[2], attention);
  }
  print(`\nPictures: ${files.join(', ')}`);
  return files;
}

const distinct = (names: readonly string[]) => [...new Set(names)];

/** Singular values that a row of the table has room for; the picture has all. */
const PRINTED = 8;

function singularTable(changes: readonly LayerChange[]): string {
  const most = Math.min(PRINTED, Math.max(...changes.map(({ singular }) => singular.length)));
  const rows = changes.map(({ path, singular }) => [
    path,
    ...Array.from({ length: most }, (_, i) => (singular[i] === undefined ? '–' : singular[i].toFixed(3))),
  ]);
  return formatTable(['layer', ...Array.from({ length: most }, (_, i) => `σ${i + 1}`)], rows);
}

async function plotSingular(path: string, changes: readonly LayerChange[]): Promise<void> {
  const panels = distinct(changes.map(({ module }) => module)).map((module) => ({
    title: module,
    y: 'singular value of ΔW',
    curves: changes
      .filter((change) => change.module === module)
      .map(({ block, singular }) => ({ name: block, points: singular.map((y, i) => ({ x: i + 1, y })) })),
  }));
  await plotFamilies(path, panels, {
    title: 'How many directions of ΔW do the work',
    x: 'number',
    legend: 'block',
    sameY: true,
  });
}

/** ‖ΔW‖ / ‖W‖ in percent, [blocks][modules]; NaN where there is no such layer. */
function changeMap(changes: readonly LayerChange[]) {
  const rows = distinct(changes.map(({ block }) => block));
  const columns = distinct(changes.map(({ module }) => module));
  const values = rows.map((row) =>
    columns.map((column) => {
      const found = changes.find(({ block, module }) => block === row && module === column);
      return found ? (100 * found.change) / found.weight : Number.NaN;
    }),
  );
  return { rows, columns, values };
}

function changeTable(changes: readonly LayerChange[]): string {
  const { rows, columns, values } = changeMap(changes);
  const cell = (value: number) => (Number.isNaN(value) ? '–' : `${value.toFixed(2)}%`);
  return formatTable(
    ['block', ...columns],
    rows.map((row, i) => [row, ...values[i].map(cell)]),
  );
}

async function plotChanges(path: string, changes: readonly LayerChange[]): Promise<void> {
  await plotMaps(path, [{ title: '', ...changeMap(changes) }], {
    title: 'How far each layer has moved',
    rows: 'block',
    columns: 'layer of the block',
    legend: '‖ΔW‖ / ‖W‖ (%)',
    cell: 56,
    format: '.2f',
  });
}

function attentionTables({ block, head, tokens, before, after }: AttentionChange): string {
  const numbers = tokens.map((_, i) => `${i + 1}`);
  const table = (shares: readonly (readonly number[])[]) =>
    formatTable(
      ['', 'token', ...numbers],
      tokens.map((token, i) => [
        numbers[i],
        token,
        ...shares[i].map((share, j) => (j > i ? '' : (100 * share).toFixed(0))),
      ]),
    );
  const what = `Attention in block ${block}, head ${head}, the one that has changed most`;
  return `${what}: percent that each token takes from those before it\nBefore\n${table(before)}\n\nAfter\n${table(after)}`;
}

async function plotAttention(
  path: string,
  { block, head, tokens, before, after }: AttentionChange,
): Promise<void> {
  const percent = (shares: readonly (readonly number[])[]) =>
    shares.map((row, i) => row.map((share, j) => (j > i ? Number.NaN : 100 * share)));
  const panel = (title: string, values: number[][]) => ({ title, rows: tokens, columns: tokens, values });
  await plotMaps(path, [panel('without the adapter', percent(before)), panel('with it', percent(after))], {
    title: `Attention in block ${block}, head ${head}`,
    rows: 'this token',
    columns: 'takes from this one',
    legend: 'attention (%)',
    cell: 14,
  });
}
