import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import {
  attentionChange,
  attentionWeights,
  measureChanges,
  showWhatChanged,
} from '../../../chapters/appendixE/06-looking-inside.ts';
import { parseRanks, plotRanks } from '../../../chapters/appendixE/07-ranks.ts';
import { singularValues } from '../../../chapters/appendixE/singular-values.ts';
import type { GPTModel } from '../../../chapters/chapter04/index.ts';
import { tokeniser } from '../../../chapters/chapter05/index.ts';
import { manualSeed, nn, noGrad, randn, type Tensor, tensor } from '../../../lib/index.ts';
import { tinyClassifier } from '../chapter06/tiny.ts';

const MESSAGE = 'You are a winner you have been selected';

/** A tiny classifier whose adapter has learnt something. */
function learnt(): GPTModel {
  const model = tinyClassifier(2).eval();
  model.requiresGrad_(false);
  nn.replaceLinearWithLoRA(model, { rank: 3, alpha: 6 });
  noGrad(() => {
    for (const [name, p] of model.namedParameters())
      if (name.endsWith('.B')) p.copyInPlace(randn(...p.shape).mul(0.4));
  });
  return model;
}

/** The numbers that a picture gives its marks of a kind, as screen readers read them. */
function marks(svg: string, kind: 'point' | 'rect mark'): Record<string, string>[] {
  const pattern = /aria-label="([^"]*)" role="graphics-symbol" aria-roledescription="([^"]*)"/g;
  return Array.from(svg.matchAll(pattern))
    .filter(([, , found]) => found === kind)
    .map(([, label]) => Object.fromEntries(label.split('; ').map((part) => part.split(': '))));
}

describe('looking inside an adapter', () => {
  const folder = mkdtempSync(join(tmpdir(), 'looking-'));
  after(() => rmSync(folder, { recursive: true }));

  it('finds the singular values that A B was built with', () => {
    // Columns of A and rows of B at right angles: the singular values are the products of their lengths.
    const lora = new nn.LoRALayer(4, 5, 3, 6);
    noGrad(() => {
      lora.A.copyInPlace(
        tensor([
          [1, 0, 0],
          [0, 2, 0],
          [0, 0, 0],
          [0, 0, 3],
        ]),
      );
      lora.B.copyInPlace(
        tensor([
          [0, 3, 0, 4, 0],
          [1, 0, 0, 0, 0],
          [0, 0, 0, 0, 2],
        ]),
      );
    });
    const expected = [2 * 6, 2 * 5, 2 * 2];
    for (const [i, value] of singularValues(lora).entries()) expect(value).to.be.closeTo(expected[i], 1e-9);
  });

  it('finds singular values whose squares, and fourth powers, are those of ΔW', () => {
    manualSeed(2);
    for (const [inDim, outDim, rank] of [
      [9, 6, 4],
      [3, 8, 5],
      [7, 7, 1],
    ]) {
      const lora = new nn.LoRALayer(inDim, outDim, rank, 3);
      noGrad(() => lora.B.copyInPlace(randn(rank, outDim)));
      const values = singularValues(lora);
      const delta = lora.delta().detach(); // [out, in]
      const power = (exponent: number) => values.reduce((sum, value) => sum + value ** exponent, 0);
      const squares = delta.square().sum().item();
      const fourths = delta.matmul(delta.t()).square().sum().item();
      expect(values).to.have.length(Math.min(inDim, outDim, rank));
      expect(power(2) / squares).to.be.closeTo(1, 1e-5);
      expect(power(4) / fourths).to.be.closeTo(1, 1e-5);
    }
    expect(singularValues(new nn.LoRALayer(4, 4, 2, 2))).to.deep.equal([0, 0]);
  });

  it('has the attention that the model computes', () => {
    const model = learnt();
    const ids = tokeniser.encode(MESSAGE);
    const { block, head, tokens, before, after: later } = attentionChange(model, MESSAGE);
    expect(tokens.join('')).to.equal(MESSAGE.replaceAll(' ', '␣'));
    // What comes out of the heads: the weights times the values, projected. The model's own attention is the reference.
    const { att, norm1 } = [...model.trfBlocks][block];
    const attended = (weights: Tensor) =>
      noGrad(() => {
        let x = model.embed(tensor([ids], { dtype: 'int32' }));
        for (const each of [...model.trfBlocks].slice(0, block)) x = each.forward(x);
        const normed = norm1.forward(x); // [1, t, d]
        const values = att.wValue.forward(normed).view(ids.length, 2, 8).transpose(0, 1); // [h, t, d/h]
        const ours = att.outProj.forward(weights.matmul(values).transpose(0, 1).flatten(1)); // [t, d]
        return ours.sub(att.forward(normed).select(0, 0)).abs().amax().item();
      });
    expect(attended(attentionWeights(model, ids, block))).to.be.below(1e-5);
    expect(later).to.deep.equal(attentionWeights(model, ids, block).select(0, head).toArray());
    expect(before).not.to.deep.equal(later);
    nn.setAdapter(model, null);
    expect(before).to.deep.equal(attentionWeights(model, ids, block).select(0, head).toArray());
  });

  it('draws what is in the tensors, and prints the same', async () => {
    const model = learnt();
    const changes = measureChanges(model);
    const lines: string[] = [];
    const files = await showWhatChanged((line) => lines.push(line), model, folder, MESSAGE);
    const [singular, map, attention] = files.map((file) => readFileSync(file, 'utf8'));

    const points = marks(singular, 'point');
    const drawn = points.map((mark) => Number(mark['singular value of ΔW'])).sort((a, b) => a - b);
    const all = changes.flatMap((change) => change.singular).sort((a, b) => a - b);
    expect(drawn).to.have.length(13 * 3 - 1); // the head has two outputs, so two values
    for (const [i, value] of drawn.entries()) expect(value).to.be.closeTo(all[i], 1e-9);

    const cells = marks(map, 'rect mark').map(({ value }) => Number(value));
    for (const { path, module } of changes) {
      const layer = model.getSubmodule(path) as nn.LinearWithLoRA;
      const ratio = 100 * (layer.lora.delta().norm().item() / layer.weight.norm().item());
      expect(
        cells.some((cell) => Math.abs(cell - ratio) < 1e-6),
        module,
      ).to.equal(true);
      expect(lines.join('\n')).to.include(`${ratio.toFixed(2)}%`);
    }

    const { before, after: later } = attentionChange(model, MESSAGE);
    const shares = marks(attention, 'rect mark').map(({ value }) => Number(value));
    const t = before.length;
    const expected = [before, later].flatMap((rows) => rows.flatMap((row, i) => row.slice(0, i + 1)));
    const visible = shares.filter((share) => !Number.isNaN(share));
    expect(visible).to.have.length(t * (t + 1));
    for (const [i, share] of visible.entries()) expect(share).to.be.closeTo(100 * expected[i], 1e-6);
  });

  it('draws losses and accuracies over the ranks', async () => {
    const path = join(folder, 'ranks.svg');
    const result = (rank: number) => ({
      ...{ rank, trainable: 10 * rank, loss: { train: 0.5 / rank, valid: 0.6 / rank } },
      accuracy: { train: 0.99, valid: 0.9 + rank / 100, test: 0.95 },
    });
    await plotRanks(path, [1, 2, 4].map(result));
    const points = marks(readFileSync(path, 'utf8'), 'point');
    const of = (name: string, key: string) =>
      points.filter((mark) => mark.part === name && key in mark).map((mark) => Number(mark[key]));
    expect(of('validation', 'cross-entropy (nats)')).to.include.members([0.6, 0.3, 0.15]);
    expect(of('test', 'accuracy (%)')).to.include.members([95]);
    expect(parseRanks('8,1,2')).to.deep.equal([1, 2, 8]);
    for (const wrong of ['4', '1,1', '0,2', 'a,b', '1,,2'])
      expect(() => parseRanks(wrong)).to.throw(/--ranks must be two different ranks/);
  });
});
