import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { expect } from 'chai';
import { plotResults } from '../../../chapters/chapter06/index.ts';

/** What a method might have gone through in three epochs of 130 steps. */
function history(loss: number, accuracy: number) {
  const losses = Array.from({ length: 8 }, (_, i) => loss / (i + 1));
  const accuracies = [accuracy, accuracy + 0.02, accuracy + 0.04];
  const both = { trainLosses: losses, valLosses: losses, trainAccs: accuracies, valAccs: accuracies };
  return { ...both, examplesSeen: 3120, stepLosses: [] };
}

describe('chapter 6: the plots', () => {
  const folder = mkdtempSync(join(tmpdir(), 'plots-'));
  after(() => rmSync(folder, { recursive: true }));
  const settings = { stepsPerEpoch: 130, subtitle: 'SMSSpamCollection, seed 42' };
  const texts = (path: string) => {
    const svg = readFileSync(path, 'utf8');
    return Array.from(svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g), ([, text]) => text);
  };

  it('of several methods have the same axes, with whole epochs, name the data and the seed, and one has all', async () => {
    const results = [
      { method: 'head', history: history(0.4, 0.72) },
      { method: 'lora', history: history(1.1, 0.94) },
    ] as const;
    const paths = await plotResults(folder, results, settings);
    expect(paths.map((path) => basename(path))).to.deep.equal([
      '1-head-loss.svg',
      '2-head-accuracy.svg',
      '3-lora-loss.svg',
      '4-lora-accuracy.svg',
      '5-comparison.svg',
    ]);
    const [headLoss, headAccuracy, loraLoss, loraAccuracy, comparison] = paths.map(texts);
    for (const each of [headLoss, headAccuracy, loraLoss, loraAccuracy, comparison]) {
      expect(each).to.include.members([
        'SMSSpamCollection, seed 42',
        'epochs',
        '0',
        '1',
        '2',
        '3',
        'examples seen',
      ]);
    }
    const axes = (all: readonly string[]) => all.filter((text) => /^[\d.,]+$/.test(text));
    expect(axes(loraLoss)).to.deep.equal(axes(headLoss));
    expect(axes(loraLoss)).to.include.members(['0.0', '1.2']);
    expect(axes(loraAccuracy)).to.deep.equal(axes(headAccuracy));
    expect(axes(loraAccuracy)).to.include.members(['0.70', '1.00']);
    expect(comparison).to.include.members(['head', 'lora', 'loss', 'accuracy']);
  });

  it('of one method are two, and of a method that was not trained none', async () => {
    const paths = await plotResults(folder, [{ method: 'lora', history: history(1, 0.9) }], settings);
    expect(paths.map((path) => basename(path))).to.deep.equal(['1-lora-loss.svg', '2-lora-accuracy.svg']);
    const untrained = { ...history(1, 0.9), trainAccs: [] };
    expect(await plotResults(folder, [{ method: 'lora', history: untrained }], settings)).to.deep.equal([]);
  });
});
