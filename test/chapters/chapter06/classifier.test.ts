import { expect } from 'chai';
import { countParameters } from '../../../chapters/chapter04/index.ts';
import { tokeniser } from '../../../chapters/chapter05/index.ts';
import { cosineRate } from '../../../chapters/chapter06/07-fine-tuning.ts';
import {
  calcAccuracyLoader,
  calcLossBatch,
  calcLossLoader,
  chooseTrainable,
  classifyReview,
  makeDatasets,
  makeLoaders,
  SpamDataset,
  spamProbability,
  trainClassifierSimple,
  wrapWithLoRA,
} from '../../../chapters/chapter06/index.ts';
import { DataLoader, manualSeed, optim, type Tensor } from '../../../lib/index.ts';
import { messages, tinyClassifier, tinyDataset } from './tiny.ts';

describe('chapter 6: the dataset', () => {
  it('fills every message up to the longest with <|endoftext|>', () => {
    const dataset = tinyDataset();
    const lengths = messages(12).map(({ text }) => tokeniser.encode(text).length);
    expect(dataset.maxLength).to.equal(Math.max(...lengths));
    const [ids, label] = dataset.get(0);
    const own: number[] = tokeniser.encode(messages(1)[0].text);
    expect(ids.toFlatArray().slice(0, own.length)).to.deep.equal(own);
    expect(new Set(ids.toFlatArray().slice(own.length) as number[])).to.deep.equal(new Set([50256]));
    expect(label.item()).to.equal(0);
  });

  it('cuts what is longer than maxLength', () => {
    const dataset = new SpamDataset(messages(4), { maxLength: 3 });
    expect(dataset.get(1)[0].toFlatArray()).to.deep.equal(tokeniser.encode(messages(2)[1].text).slice(0, 3));
  });

  it('batches as [b, t] and [b], int32', () => {
    const [[inputs, labels]] = new DataLoader(tinyDataset(), { batchSize: 8 });
    expect(inputs.shape).to.deep.equal([8, tinyDataset().maxLength]);
    expect(labels.shape).to.deep.equal([8]);
    expect([inputs.dtype, labels.dtype]).to.deep.equal(['int32', 'int32']);
  });

  it('refuses an empty set and a wrong label', () => {
    expect(() => new SpamDataset([])).to.throw('the dataset is empty');
    expect(() => new SpamDataset([{ label: 2, text: 'x' }])).to.throw(
      'a label has to be 0 (ham) or 1 (spam), not 2',
    );
  });
});

describe('chapter 6: datasets and loaders', () => {
  const parts = { train: messages(6), valid: messages(2), test: messages(2) };
  const model = { name: 'tiny', contextLength: 32 };

  it('give all parts the length of the longest training message', () => {
    const long = { label: 0, text: 'word '.repeat(30) };
    const { train, valid } = makeDatasets({ ...parts, valid: [long] }, model);
    expect(valid.maxLength).to.equal(train.maxLength);
    expect(valid.get(0)[0].shape).to.deep.equal([train.maxLength]);
  });

  it('refuse what the model cannot see', () => {
    expect(() => makeDatasets(parts, model, 33)).to.throw(
      '--max-length 33 is too long: tiny sees at most 32 tokens',
    );
    expect(() => makeDatasets(parts, { ...model, contextLength: 3 })).to.throw(
      'cut them with --max-length 3',
    );
  });

  it('refuse a training part smaller than a batch, with both numbers', () => {
    expect(() => makeLoaders(makeDatasets(parts, model), 8)).to.throw(
      'the training part has 6 messages, fewer than a batch of 8: give --batch-size 6 or less',
    );
    expect(makeLoaders(makeDatasets(parts, model), 6).train.length).to.equal(1);
  });

  it('take more rows than the stack has room for', () => {
    const row = { label: 0, text: 'hi' };
    expect(new SpamDataset(Array(140_000).fill(row)).maxLength).to.equal(1);
  }).timeout(20_000);
});

describe('chapter 6: what is trained', () => {
  const trainable = (
    names: (name: string) => boolean,
    prepare: (model: ReturnType<typeof tinyClassifier>) => void,
  ) => {
    const model = tinyClassifier();
    prepare(model);
    for (const [name, parameter] of model.namedParameters()) {
      expect(parameter.requiresGrad, name).to.equal(names(name));
    }
  };

  it('head: only the new head', () => {
    trainable(
      (name) => name.startsWith('out_head'),
      (model) => chooseTrainable(model, 'head'),
    );
  });
  it('last-block: the last block, the last norm and the head', () => {
    trainable(
      (name) => /^(trf_blocks\.2|final_norm|out_head)\./.test(name),
      (model) => chooseTrainable(model, 'last-block'),
    );
  });
  it('full: everything', () => {
    trainable(
      () => true,
      (model) => chooseTrainable(model, 'full'),
    );
  });
  it('lora: A and B of every Linear, rank · (in + out) numbers each', () => {
    trainable(
      (name) => name.includes('.lora.'),
      (model) => wrapWithLoRA(model, { rank: 4, alpha: 4 }),
    );
    const model = tinyClassifier();
    wrapWithLoRA(model, { rank: 4, alpha: 4 });
    const d = 16;
    const perBlock = 4 * (4 * (d + d) + (d + 4 * d) + (4 * d + d));
    expect(countParameters(model, { trainableOnly: true })).to.equal(3 * perBlock + 4 * (d + 2));
  });
});

describe('chapter 6: training', () => {
  const loaders = () => {
    const dataset = tinyDataset();
    return {
      train: new DataLoader<[Tensor, Tensor]>(dataset, { batchSize: 4, shuffle: true, dropLast: true }),
      valid: new DataLoader<[Tensor, Tensor]>(dataset, { batchSize: 4 }),
    };
  };

  it('accuracy counts messages, also in a last batch that is not full', () => {
    const model = tinyClassifier();
    const dataset = tinyDataset(5);
    const loader = new DataLoader<[Tensor, Tensor]>(dataset, { batchSize: 3 });
    let right = 0;
    for (let i = 0; i < 5; i++) {
      const [ids, label] = dataset.get(i);
      const logits = model.forward(ids.unsqueeze(0)).select(1, -1);
      right += Number(logits.argmax(-1).item() === label.item());
    }
    expect(calcAccuracyLoader(loader, model)).to.equal(right / 5);
  });

  it('the loss of a loader is the mean over its first batches', () => {
    const model = tinyClassifier();
    const { valid } = loaders();
    const [first, second] = [...valid].map(([inputs, labels]) => calcLossBatch(inputs, labels, model).item());
    expect(calcLossLoader(valid, model, 2)).to.be.closeTo((first + second) / 2, 1e-6);
  });

  it('learns to tell the messages apart, with LoRA, and changes nothing else', () => {
    const model = tinyClassifier();
    wrapWithLoRA(model, { rank: 4, alpha: 4 });
    const frozen = Object.entries(model.stateDict()).filter(([name]) => !name.includes('.lora.'));
    const before = frozen.map(([, tensor]) => tensor.toFlatArray());
    const { train, valid } = loaders();
    manualSeed(1);
    const parameters = model.parameters().filter((parameter) => parameter.requiresGrad);
    const optimizer = new optim.AdamW(parameters, { lr: 5e-3, weightDecay: 0.1 });
    const history = trainClassifierSimple(model, train, valid, optimizer, {
      numEpochs: 10,
      evalFreq: 5,
      evalIter: 3,
      print: () => {},
    });
    expect(history.examplesSeen).to.equal(10 * 3 * 4);
    expect(history.trainLosses).to.have.length(6);
    expect(history.valLosses.at(-1)).to.be.below(0.2);
    expect(calcAccuracyLoader(valid, model)).to.equal(1);
    expect(frozen.map(([, tensor]) => tensor.toFlatArray())).to.deep.equal(before);
    const { maxLength } = tinyDataset();
    expect(classifyReview(messages(2)[1].text, model, { maxLength })).to.equal('spam');
    expect(classifyReview(messages(1)[0].text, model, { maxLength })).to.equal('not spam');
    expect(spamProbability(messages(2)[1].text, model, { maxLength })).to.be.within(0.5, 1);
    expect(spamProbability(messages(1)[0].text, model, { maxLength })).to.be.within(0, 0.5);
  });

  it('sets the learning rate before each step, where one is given', () => {
    const model = tinyClassifier();
    chooseTrainable(model, 'head');
    const { train, valid } = loaders();
    const optimizer = new optim.AdamW(model.outHead.parameters(), { lr: 1 });
    const rates: number[] = [];
    const asked: number[] = [];
    const learningRate = (step: number) => {
      asked.push(step);
      return step / 1000;
    };
    const onStep = () => void rates.push(optimizer.lr);
    const options = { evalFreq: 100, evalIter: 1, print: () => {}, onStep };
    trainClassifierSimple(model, train, valid, optimizer, { numEpochs: 2, ...options, learningRate });
    expect(asked).to.deep.equal([0, 1, 2, 3, 4, 5]);
    expect(rates).to.deep.equal([0, 0.001, 0.002, 0.003, 0.004, 0.005]);
    trainClassifierSimple(model, train, valid, optimizer, { numEpochs: 1, ...options });
    expect(rates.slice(6)).to.deep.equal([0.005, 0.005, 0.005]);
  });

  it('a cosine rises over a tenth of the steps, and falls to a fiftieth', () => {
    const rates = Array.from({ length: 100 }, (_, step) => cosineRate(step, 100, 2));
    expect(rates[0]).to.be.closeTo(0.2, 1e-12);
    expect(rates[9]).to.equal(2);
    expect(rates[10]).to.equal(2);
    expect(rates[55]).to.be.closeTo(1.02, 1e-12);
    expect(rates[99]).to.be.within(0.04, 0.042);
    for (let step = 11; step < 100; step++) expect(rates[step]).to.be.below(rates[step - 1]);
    expect(cosineRate(0, 3, 2)).to.equal(2);
  });
});
