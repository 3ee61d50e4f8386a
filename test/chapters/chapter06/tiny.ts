import { GPTModel } from '../../../chapters/chapter04/index.ts';
import { replaceHead, SpamDataset } from '../../../chapters/chapter06/index.ts';
import type { LabelledText } from '../../../chapters/datasets/index.ts';
import { manualSeed } from '../../../lib/index.ts';

/** A GPT of GPT-2's shape, small enough for a test, with a head of two classes; all from one seed. */
export function tinyClassifier(layers = 3): GPTModel {
  manualSeed(5);
  const model = new GPTModel({
    vocabSize: 50257,
    contextLength: 32,
    embDim: 16,
    nHeads: 2,
    nLayers: layers,
    dropRate: 0,
    qkvBias: true,
  });
  replaceHead(model, 6);
  return model;
}

/** Messages whose class can be told from their words. */
export function messages(count: number): LabelledText[] {
  return Array.from({ length: count }, (_, i) => ({
    label: i % 2,
    text: i % 2 ? `WINNER call 0900${i} to claim your prize now` : `see you at home in ${i} minutes, ok?`,
  }));
}

export const tinyDataset = (count = 12) => new SpamDataset(messages(count));
