import { createRequire } from 'node:module';
import { expect } from 'chai';
import { binaryCrossEntropy, neuron } from '../../chapters/appendixA/03-computation-graph.ts';
import { cosineLearningRate } from '../../chapters/appendixD/index.ts';
import { gpt2TokenBytes, tokeniser } from '../../chapters/chapter02/index.ts';
import { countParameters, type GPTModel } from '../../chapters/chapter04/index.ts';
import { generate, obtainModel } from '../../chapters/chapter05/index.ts';
import { STORY } from '../../chapters/datasets/index.ts';
import { drawAttention, headOf } from '../../docs/site/pictures/attention.ts';
import { drawBlocks, modelOf, partsOf } from '../../docs/site/pictures/blocks.ts';
import { type Drawn, heatMap, htmlOf } from '../../docs/site/pictures/drawn.ts';
import { parse, parseValues } from '../../docs/site/pictures/expression.ts';
import { drawGraph, graphOf } from '../../docs/site/pictures/graph.ts';
import { drawNext, nextToken } from '../../docs/site/pictures/next-token.ts';
import { defaultsOf } from '../../docs/site/pictures/pictures.ts';
import { chart, train } from '../../docs/site/pictures/schedule.ts';
import { drawTokens, stepsOf } from '../../docs/site/pictures/tokens.ts';
import { cat, manualSeed, noGrad, randn, tensor } from '../../lib/index.ts';
import { visitForSuite } from './site.ts';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** What is drawn is what is in the tensors: seen in the elements as data, without a browser. */

function all(picture: Drawn, tag: string): Drawn[] {
  const own = picture.tag === tag ? [picture] : [];
  return [...own, ...picture.children.flatMap((child) => (typeof child === 'string' ? [] : all(child, tag)))];
}

function textOf(picture: Drawn): string {
  return picture.children.map((child) => (typeof child === 'string' ? child : textOf(child))).join('');
}

describe('the picture of tokens', () => {
  const bytesOf = (text: string) => tokeniser.encode(text).map((id) => [...gpt2TokenBytes()[id]]);

  for (const piece of [' unbelievably', ' 1234567', 'x', ' Ünglück', '🙂🙂', '!!!!!', '   ']) {
    it(`merges “${piece}” from its bytes to GPT-2's tokens, in the order of the merges`, () => {
      const steps = stepsOf(piece);
      const utf8 = [...new TextEncoder().encode(piece)];
      expect(steps[0].tokens.map((bytes) => [...bytes])).to.deep.equal(utf8.map((byte) => [byte]));
      expect(steps.at(-1)!.tokens.map((bytes) => [...bytes])).to.deep.equal(bytesOf(piece));
      const order = steps.map(({ merge }) => merge);
      expect(order).to.deep.equal([...new Set(order)].sort((a, b) => a - b));
      for (const { tokens, merge } of steps) {
        expect(tokens.flatMap((bytes) => [...bytes])).to.deep.equal(utf8);
        if (merge > 0) expect(tokens.map(String)).to.include(String(gpt2TokenBytes()[255 + merge]));
      }
    });
  }

  it('shows the ids of the whole text, and a step for each merge', () => {
    const text = 'Hello, do you like tea?';
    const picture = drawTokens({ text, piece: 0 });
    const ids = all(picture, 'small').map((small) => Number.parseInt(textOf(small), 10));
    expect(ids).to.deep.equal(tokeniser.encode(text));
    expect(all(picture, 'li').length).to.equal(stepsOf('Hello').length);
    expect(() => drawTokens({ text: '  ', piece: 0 })).to.throw('type a text');
  });
});

describe('a heat map', () => {
  it('has the colour of each number, at its place', () => {
    manualSeed(1);
    const matrix = randn(3, 5);
    const cells = all(heatMap('M', matrix, 2, 10), 'rect');
    expect(cells.length).to.equal(15);
    for (const [i, { attributes }] of cells.entries()) {
      expect([attributes.x, attributes.y]).to.deep.equal([10 * (i % 5), 10 * Math.floor(i / 5)]);
      const [red, , blue] = String(attributes.fill).match(/\d+/g)!.map(Number);
      const share = red < blue ? -(255 - red) / 255 : (255 - blue) / 255;
      const value = matrix.index(Math.floor(i / 5), i % 5).item();
      expect(2 * share).to.be.closeTo(Math.max(-2, Math.min(2, value)), 2 / 255);
    }
  });

  it('is escaped in its page', () => {
    expect(htmlOf({ tag: 'p', attributes: { title: '"<' }, children: ['<&'] })).to.equal(
      '<p title="&quot;&lt;">&lt;&amp;</p>',
    );
  });
});

describe('the pictures of mini', () => {
  let model: GPTModel;
  const ids = tokeniser.encode('The cat sat on the mat');
  before(async () => {
    model = (await obtainModel({ model: 'mini' })).eval();
  });

  it('attention: the contexts of all heads make what the layer gives', () => {
    noGrad(() => {
      let x = model.embed(tensor([ids], { dtype: 'int32' }));
      for (const [i, block] of [...model.trfBlocks].entries()) {
        const contexts = [0, 1, 2, 3].map((head) => headOf(model, ids, i, head, true).context);
        const ours = block.att.outProj.forward(cat(contexts, 1)).toFlatArray() as number[];
        const layer = block.att.forward(block.norm1.forward(x)).toFlatArray() as number[];
        for (const [at, value] of layer.entries()) expect(ours[at]).to.be.closeTo(value, 1e-5);
        x = block.forward(x);
      }
    });
  });

  it('attention: a row a token, hidden where the mask is, and with no mask nowhere', () => {
    for (const mask of [true, false]) {
      const input = { text: 'The cat sat on the mat', block: '1', head: '2', mask };
      const [scores, weights] = all(drawAttention(model, input), 'svg');
      const hidden = all(scores, 'rect').filter(({ attributes }) => attributes.fill === '#8888');
      expect(hidden.length).to.equal(mask ? (ids.length * (ids.length - 1)) / 2 : 0);
      const rows = headOf(model, ids, 0, 1, mask).weights.sum(-1).toArray() as number[];
      for (const sum of rows) expect(sum).to.be.closeTo(1, 1e-5);
      expect(all(weights, 'g').map(({ attributes }) => attributes['data-link'])).to.deep.equal([
        ...ids.keys(),
      ]);
    }
  });

  it('next token: bars as wide as the probabilities, of no more than k tokens; the first is the greedy one', () => {
    const input = { text: 'Every effort moves', temperature: 0.7, topK: 5 };
    const { chosen } = nextToken(model, input);
    expect(chosen.gt(0).float().sum().item()).to.equal(5);
    const picture = drawNext(model, input);
    const probabilities = chosen.topk(5).values.toArray() as number[];
    expect(probabilities.reduce((sum, p) => sum + p, 0)).to.be.closeTo(1, 1e-5);
    const bars = all(picture, 'span').filter(({ attributes }) => attributes.class === 'bar');
    const widths = bars.map(({ attributes }) =>
      Number.parseFloat(String(attributes.style).slice('width: '.length)),
    );
    for (const [i, width] of widths.entries())
      expect(width / widths[0]).to.be.closeTo(probabilities[i] / probabilities[0], 1e-3);
    const start = tensor([tokeniser.encode(input.text)], { dtype: 'int32' });
    const after = generate(model, start, { maxNewTokens: 1, contextSize: 256 });
    expect(all(picture, 'button')[0].attributes['data-value']).to.equal(
      tokeniser.decode(after.toFlatArray() as number[]),
    );
  });
});

describe('the picture of the model', () => {
  it('counts what the model has, with the book at 124M', () => {
    const small = { layers: 3, width: 64, heads: 4 };
    const model = modelOf(small);
    const parts = partsOf(model);
    const sum = parts.reduce((total, { count, inside }) => total + count * (inside ? 3 : 1), 0);
    expect(sum).to.equal(countParameters(model));
    const block = parts.find(({ inside }) => inside)!;
    expect(block.inside!.reduce((total, { count }) => total + count, 0)).to.equal(block.count);
    expect(parts.at(-1)!.shape).to.deep.equal([1, 4, 50257]);
    expect(textOf(drawBlocks(defaultsOf('blocks')))).to.contain('163,009,536 parameters, 621.83 MB');
    expect(() => modelOf({ ...small, heads: 5 })).to.throw('cannot be divided among 5 heads');
  });
});

describe('the picture of a schedule', () => {
  it('has the rates of the schedule, and gradients that are clipped after the warm-up only', async () => {
    const input = { steps: 20, peak: 0.01, warmup: 0.2, limit: 0.5 };
    const { rates, norms, clipped, losses } = train(input, await STORY.standIn.make());
    const schedule = { initialLr: 1e-4, peakLr: 0.01, minLr: 1e-5, warmupSteps: 4, totalSteps: 20 };
    expect(rates).to.deep.equal(Array.from({ length: 20 }, (_, step) => cosineLearningRate(step, schedule)));
    for (const [step, norm] of norms.entries())
      expect(clipped[step]).to.be.closeTo(step < 4 ? norm : Math.min(norm, 0.5), 1e-4);
    expect(norms.some((norm) => norm > 0.5)).to.equal(true);
    expect(losses.at(-1)).to.be.below(losses[0]);
    const [, path] = all(chart('Rate', [rates]), 'path');
    const heights = String(path.attributes.d)
      .split(/[ML]/)
      .slice(1)
      .map((at) => 110 - Number(at.split(' ')[1]));
    for (const [step, height] of heights.entries())
      expect((height / 90) * Math.max(...rates)).to.be.closeTo(rates[step], 2e-6);
  });
});

describe('the picture of an expression', () => {
  const values = parseValues('x = 1.1, w = 2.2, b = 0');

  it("has appendix A's loss and gradients", () => {
    const nodes = graphOf(parse('-log(sigmoid(w * x + b))'), values);
    const [x, w, b] = [1.1, 2.2, 0].map((value) => tensor([value], { requiresGrad: true }));
    const loss = binaryCrossEntropy(neuron(x, w, b), tensor([1]));
    loss.backward();
    expect(nodes.at(-1)!.value).to.be.closeTo(loss.item(), 1e-6);
    for (const [name, leaf] of Object.entries({ x, w, b }))
      expect(nodes.find(({ label }) => label === name)!.gradient).to.be.closeTo(leaf.grad!.item(), 1e-6);
  });

  it('has the value and the slope of any expression, as finite differences find it', () => {
    const sources = [
      'x^2 - 3 * x / w',
      '-x^2 + (x - w) * exp(b) ',
      'tanh(x) + relu(w) * sin(x * w)',
      '2 - 1 - x',
      'sqrt(x) - abs(-w)',
    ];
    for (const source of sources) {
      const at = (x: number) => graphOf(parse(source), new Map([...values, ['x', x]])).at(-1)!.value;
      const [node] = graphOf(parse(source), values).filter(({ label }) => label === 'x');
      expect(node.gradient, source).to.be.closeTo((at(1.105) - at(1.095)) / 0.01, 2e-3);
    }
    expect(graphOf(parse('-x^2'), values).at(-1)!.value).to.be.closeTo(-1.21, 1e-6);
    expect(graphOf(parse('8 - 4 - x'), values).at(-1)!.value).to.be.closeTo(2.9, 1e-6);
  });

  it('shows each node once, and answers mistakes in one line', () => {
    const boxes = all(drawGraph({ expression: 'x * x + w', values: 'x = 3, w = 1' }), 'g').map(textOf);
    expect(boxes).to.deep.equal(['x= 3.00∂ 6.00', '*= 9.00∂ 1.00', 'w= 1.00∂ 1.00', '+= 10.0∂ 1.00']);
    const mistakes = {
      'x +': 'at its end',
      'x $ w': "at '$'",
      'f(x)': "no function 'f'",
      'y + 1': 'y has no value',
      x: 'nothing to compute',
    };
    for (const [source, words] of Object.entries(mistakes))
      expect(() => drawGraph({ expression: source, values: 'x = 1, w = 2' }), source).to.throw(words);
    expect(() => parseValues('x = a')).to.throw("not 'x = a'");
  });
});

describe('the pictures in a page', () => {
  const site = visitForSuite();

  const changes = [
    { page: 'chapter02', label: 'Text', value: 'tokenisation', shows: '12 characters' },
    { page: 'chapter03', label: 'Sentence', value: 'The dog', shows: '“␣dog” takes', mini: true },
    { page: 'chapter04', label: 'Dimensions', value: '384', shows: '1 × 1,773,312' },
    { page: 'chapter05', label: 'Top-k', value: '1', shows: 'These have 100.0% together', mini: true },
    { page: 'appendixD', label: 'Steps', value: '20', shows: 'step 20' },
    { page: 'appendixA', label: 'Expression', value: 'x * 2', shows: '= 2.20' },
  ];
  for (const { page: name, label, value, shows, mini } of changes) {
    it(`${name}: is there, and drawn anew for what is set; axe finds no fault`, async () => {
      const page = await site.open(`${name}.html`, { width: 360, height: 740 });
      const panel = page.locator('[data-panel="picture"]');
      await panel
        .getByText(mini ? 'Load mini' : label, { exact: !mini })
        .first()
        .waitFor();
      if (mini) await panel.getByRole('button', { name: /^Load mini/ }).click();
      if (name === 'chapter04') await panel.getByLabel('Blocks').fill('1');
      await panel.getByLabel(label, { exact: true }).fill(value);
      await panel.getByText(shows).first().waitFor();
      if (name === 'chapter03') {
        await panel.getByRole('button', { name: 'The', exact: true }).focus();
        await panel.getByText('“The” takes 100% from “The”').waitFor();
      }
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).to.be.at.most(360);
      await page.addScriptTag({ path: AXE });
      const faults = await page.evaluate(async () => {
        const { axe } = window as unknown as {
          axe: { run(at: string): Promise<{ violations: { nodes: { html: string }[] }[] }> };
        };
        return (await axe.run('[data-panel="picture"]')).violations.map(({ nodes }) => nodes[0].html);
      });
      expect(faults).to.deep.equal([]);
      await page.context().close();
    });
  }
});
