import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { GPT_NAMES, modelConfig, obtainBase, obtainTextModel } from '../../../chapters/chapter05/index.ts';
import {
  describeHubModel,
  HUB_MODELS,
  type HubModelName,
  NEWER_MODELS,
} from '../../../chapters/models/index.ts';
import { failure } from '../../support/failure.ts';
import { type LocalHub, startLocalHub } from '../../support/local-hub.ts';

const fixture = (name: string) => fileURLToPath(new URL(`../../fixtures/${name}`, import.meta.url));
const VARIABLES = ['HF_HOME', 'HF_HUB_CACHE', 'HF_ENDPOINT', 'HF_TOKEN', 'HF_HUB_OFFLINE'];

describe('models by their names', () => {
  let hub: LocalHub;
  let home: string;
  const before_ = Object.fromEntries(VARIABLES.map((name) => [name, process.env[name]]));
  before(async () => {
    hub = await startLocalHub({
      'google/gemma-3-270m': fixture('gemma/tiny'),
      'HuggingFaceTB/SmolLM2-135M-Instruct': fixture('llama/tiny'),
    });
  });
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'hub-'));
    for (const name of VARIABLES) delete process.env[name];
    Object.assign(process.env, { HF_HOME: home, HF_ENDPOINT: hub.endpoint });
    hub.refuseWith(undefined);
  });
  afterEach(() => {
    rmSync(home, { recursive: true });
    for (const [name, value] of Object.entries(before_)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });
  after(() => hub.close());

  const silent = () => {};

  it('are each in one repository, and the sizes of GPT-2 are chapter 4’s', () => {
    const repositories = Object.values(HUB_MODELS).map(({ repository }) => repository);
    expect(new Set(repositories).size).to.equal(repositories.length);
    for (const name of GPT_NAMES) {
      if (name === 'mini') continue;
      const { vocabSize, embDim, nLayers } = modelConfig(name);
      expect(HUB_MODELS[name].sizes, name).to.eql([vocabSize, embDim, nLayers]);
    }
  });

  it('say whether they answer messages, and whose terms they are under', () => {
    for (const name of Object.keys(HUB_MODELS) as HubModelName[])
      expect(describeHubModel(name)).to.match(/: (a base|an instruct) model, under .+ \(https:\/\/\S+\)$/);
    const gated = NEWER_MODELS.filter((name) => HUB_MODELS[name].licence.gated);
    expect(gated).to.eql(['gemma3-270m', 'gemma3-270m-it', 'llama3.2-1b', 'llama3.2-1b-instruct']);
  });

  it('are downloaded once, with the licence said, and then read without a network', async () => {
    const lines: string[] = [];
    const print = (line: string) => void lines.push(line);
    const { model, tokeniser, endIds } = await obtainTextModel({ model: 'gemma3-270m', print });
    expect(lines[0]).to.include('google/gemma-3-270m').and.to.include("Gemma's terms of use");
    expect(model.config.vocabSize).to.equal(337);
    expect([tokeniser.startIds, endIds]).to.eql([[2], [1]]);
    Object.assign(process.env, { HF_HUB_OFFLINE: '1' });
    const count = hub.asked.length;
    const base = await obtainBase({ model: 'gemma3-270m', print: silent });
    expect(hub.asked).to.have.length(count);
    expect([base.isNewer, base.name, base.hub]).to.eql([true, 'gemma3-270m', 'google/gemma-3-270m']);
    expect(base.tokeniser.encode('a')[0]).to.equal(2);
    const [one, other] = [await base.fresh(), await base.fresh()];
    expect(one === other).to.equal(false);
  });

  it('are said to be gated where the hub refuses them, with what to do, in one line', async () => {
    for (const status of [401, 403]) {
      hub.refuseWith(status);
      const message = await failure(obtainTextModel({ model: 'gemma3-270m', print: silent }));
      expect(message).to.match(/^gemma3-270m cannot be downloaded .*\b40[13]\b/);
      expect(message).to.include("accept Gemma's terms of use at https://huggingface.co/google/gemma-3-270m");
      expect(message).to.include('HF_TOKEN').and.to.include('--weights PATH').and.not.to.include('\n');
    }
    hub.refuseWith(500);
    const open = await failure(obtainTextModel({ model: 'qwen3-0.6b', print: silent }));
    expect(open).to.include('--weights PATH').and.not.to.include('gated');
  });

  it('are refused in one line where they are not in the cache and there is no network', async () => {
    Object.assign(process.env, { HF_HUB_OFFLINE: '1' });
    for (const model of NEWER_MODELS) {
      const message = await failure(obtainTextModel({ model, print: silent }));
      expect(message).to.include(`${model} cannot be downloaded`).and.to.include('--weights PATH');
    }
  });

  it('are held to their sizes where a file is given, and have no random weights', async () => {
    const weights = fixture('llama/tiny');
    const other = await failure(obtainTextModel({ model: 'smollm2-135m', weights, print: silent }));
    expect(other).to.include('is not smollm2-135m: it has 287 tokens, width 32 and 2 blocks');
    const random = { model: 'smollm2-135m', randomWeights: true, print: silent } as const;
    expect(await failure(obtainTextModel(random))).to.match(/^--random-weights is for mini and GPT-2/);
  });

  it('are recognised in a file without a name by its own; another is called by its path', async () => {
    const weights = fixture('gemma/tiny');
    const base = await obtainBase({ model: 'mini', weights, print: silent });
    expect([base.name, base.hub, base.contextLength]).to.eql([weights, weights, 64]);
  });
});
