import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import fc from 'fast-check';
import { GPTModel } from '../../chapters/chapter04/index.ts';
import { loadWeightsIntoGpt } from '../../chapters/chapter05/index.ts';
import {
  io,
  manualSeed,
  nn,
  noGrad,
  randn,
  type Tensor,
  tensor,
  UserError,
  useBackend,
} from '../../lib/index.ts';
import { sha256 } from '../../lib/io/files.ts';
import { openSafetensors } from '../../lib/io/safetensors-file.ts';
import { expectTensor } from '../support/close.ts';
import { failure } from '../support/failure.ts';
import { hexOfFloats } from '../support/fixtures.ts';

// Written by test/interop/make_fixture.py with PEFT.
const FIXTURE = fileURLToPath(new URL('../fixtures/peft', import.meta.url));
const about = JSON.parse(readFileSync(join(FIXTURE, 'about.json'), 'utf8'));
const CASES = readdirSync(FIXTURE).filter((name) => name !== 'base' && name !== 'about.json');
const IDS = tensor(about.ids, { dtype: 'int32' });

const folder = mkdtempSync(join(tmpdir(), 'adapter-'));
after(() => rmSync(folder, { recursive: true }));

/** The fixture's tiny GPT-2, frozen. */
function base(embDim = 12): GPTModel {
  const model = nn.init.skip(
    () =>
      new GPTModel({
        vocabSize: 40,
        contextLength: 16,
        embDim,
        nHeads: 2,
        nLayers: 3,
        dropRate: 0,
        qkvBias: true,
      }),
  );
  if (embDim === 12)
    io.withTensors(join(FIXTURE, 'base'), 'the base', (weights) => loadWeightsIntoGpt(model, weights));
  return model.requiresGrad_(false).eval();
}

const bits = (t: Tensor) => hexOfFloats(t.toFlatArray() as number[]);
const answer = (model: GPTModel) => noGrad(() => model.forward(IDS));
const allBits = (model: nn.Module) =>
  Object.fromEntries(Object.entries(model.stateDict()).map(([k, t]) => [k, bits(t)]));

/** What PEFT's model of the case answers, from ours. */
function answerOf(model: GPTModel, kind: string): Tensor {
  if (kind === 'GPT2Model') {
    return noGrad(() => model.finalNorm.forward(model.trfBlocks.forward(model.embed(IDS)))); // [2, t, d]
  }
  const logits = answer(model); // [2, t, vocab or classes]
  return kind === 'GPT2ForSequenceClassification' ? logits.select(1, -1) : logits;
}

/** A model with a new adapter whose B is not zero any more. */
function adapted(options: Partial<nn.LoRAOptions> = {}, model = base()): GPTModel {
  nn.replaceLinearWithLoRA(model, { rank: 2, alpha: 3, ...options });
  noGrad(() => {
    for (const [name, p] of model.namedParameters()) {
      if (name.endsWith('.B')) p.copyInPlace(randn(...p.shape).mul(0.3));
    }
  });
  return model;
}

for (const backend of ['js', 'wasm'] as const) {
  describe(`adapters made by PEFT, on ${backend}`, () => {
    before(() => useBackend(backend));
    after(() => useBackend('js'));

    for (const name of CASES) {
      it(`${name}: PEFT's logits, the base as it was, and back in PEFT's bytes`, async () => {
        const { kind, logits } = JSON.parse(readFileSync(join(FIXTURE, name, 'logits.json'), 'utf8'));
        const model = base();
        const before = allBits(model);
        io.loadAdapter(join(FIXTURE, name), model);
        expectTensor(answerOf(model, kind), tensor(logits), 1e-5);
        const saved = join(folder, 'back');
        rmSync(saved, { recursive: true, force: true });
        const wanted = bits(answerOf(model, kind));
        nn.setAdapter(model, null);
        const wrapped = Object.fromEntries(
          Object.entries(allBits(model)).map(([key, value]) => [key.replace('.linear.', '.'), value]),
        );
        expect(wrapped).to.deep.equal(before);
        nn.setAdapter(model, 'default');
        await io.saveAdapter(saved, model, { baseModel: 'tiny-gpt2' });
        const again = base();
        io.loadAdapter(saved, again);
        expect(bits(answerOf(again, kind))).to.equal(wanted);
        // There PEFT's bytes are of other types, have the tied embedding beside them, or shorter names.
        if (/float16|lm-head|inner-model/.test(name)) return;
        const bytes = (at: string) => sha256(readFileSync(join(at, 'adapter_model.safetensors')));
        expect(bytes(saved)).to.equal(bytes(join(FIXTURE, name)));
      });
    }
  });
}

describe('adapters of our own', () => {
  before(() => useBackend('js'));
  beforeEach(() => manualSeed(7));

  const saved = join(folder, 'own');
  const config = () => JSON.parse(readFileSync(join(saved, 'adapter_config.json'), 'utf8'));
  const shapes = () => {
    const file = openSafetensors(join(saved, 'adapter_model.safetensors'));
    const found = Array.from(file, ([name, { shape }]) => [name.replace('base_model.model.', ''), shape]);
    file.close();
    return Object.fromEntries(found);
  };

  const kinds: [string, Partial<nn.LoRAOptions>][] = [
    ['on every Linear', {}],
    ['with rsLoRA', { scaling: 'rslora', rank: 3 }],
    ['on queries and values', { targets: ['W_query', 'W_value'] }],
    ['on keys', { targets: ['W_key'] }],
    ['on one layer', { targets: ['trf_blocks.1.ff.layers.2'] }],
    ['on the head', { targets: ['out_head'] }],
    ['with dropout', { dropout: 0.25, targets: ['layers.0'] }],
  ];
  for (const [name, options] of kinds) {
    it(`${name} come back bit for bit, and are written with the same bytes again`, async () => {
      const model = adapted(options);
      expect(await io.saveAdapter(saved, model, { baseModel: 'tiny-gpt2' })).to.deep.equal([]);
      const again = base();
      io.loadAdapter(saved, again);
      expect(bits(answer(again))).to.equal(bits(answer(model)));
      const bytes = sha256(readFileSync(join(saved, 'adapter_model.safetensors')));
      const text = readFileSync(join(saved, 'adapter_config.json'), 'utf8');
      await io.saveAdapter(saved, again, { baseModel: 'tiny-gpt2' });
      expect(sha256(readFileSync(join(saved, 'adapter_model.safetensors')))).to.equal(bytes);
      expect(readFileSync(join(saved, 'adapter_config.json'), 'utf8')).to.equal(text);
    });
  }

  it('have query, key and value as one c_attn of rank 3r, block by block', async () => {
    await io.saveAdapter(saved, adapted(), { baseModel: 'tiny-gpt2' });
    expect(config()).to.include({
      r: 2,
      lora_alpha: 3,
      task_type: 'CAUSAL_LM',
      base_model_name_or_path: 'tiny-gpt2',
    });
    expect(config().rank_pattern).to.deep.equal({ c_attn: 6 });
    expect(config().alpha_pattern).to.deep.equal({ c_attn: 9 });
    expect(config().target_modules).to.deep.equal(['c_attn', 'c_fc', 'c_proj', 'lm_head']);
    expect(shapes()).to.include.keys('lm_head.lora_A.weight', 'transformer.h.2.mlp.c_proj.lora_B.weight');
    expect(shapes()['transformer.h.0.attn.c_attn.lora_A.weight']).to.deep.equal([6, 12]);
    expect(shapes()['transformer.h.0.attn.c_attn.lora_B.weight']).to.deep.equal([36, 6]);
  });

  it('name their layers as shortly as PEFT can tell them apart', async () => {
    await io.saveAdapter(saved, adapted({ targets: ['out_proj'] }), { baseModel: '' });
    expect(config().target_modules).to.deep.equal(['attn.c_proj']);
    await io.saveAdapter(saved, adapted({ targets: ['trf_blocks.1.att.out_proj'] }), { baseModel: '' });
    expect(config().target_modules).to.deep.equal(['1.attn.c_proj'].map((end) => `h.${end}`));
  });

  it('of different scalings on the parts of one layer are the same when fused', async () => {
    const model = adapted({ targets: ['W_query'] });
    nn.setAdapter(model, null);
    for (const block of model.trfBlocks) {
      const key = new nn.LoRALayer(12, 12, 4, 1);
      noGrad(() => key.B.copyInPlace(randn(4, 12)));
      block.att.replaceChild('W_key', nn.LinearWithLoRA.around(block.att.wKey, 'default', key));
    }
    nn.setAdapter(model, 'default');
    await io.saveAdapter(saved, model, { baseModel: '' });
    const again = base();
    io.loadAdapter(saved, again);
    expectTensor(answer(again), answer(model), 1e-5);
  });

  it('are several on one base, each with the head that it brings', async () => {
    const model = base();
    const before = allBits(model);
    const plain = bits(answer(model));
    const cases = ['classifier', 'all', 'saved-norm'];
    for (const name of cases) io.loadAdapter(join(FIXTURE, name), model, { name });
    const alone = cases.map((name) => {
      const single = base();
      io.loadAdapter(join(FIXTURE, name), single);
      return bits(answer(single));
    });
    for (const i of [2, 0, 1, 0, 2, 1, 1, 0]) {
      nn.setAdapter(model, cases[i]);
      expect(bits(answer(model)), cases[i]).to.equal(alone[i]);
    }
    expect(model.outHead.outFeatures).to.equal(3);
    nn.setAdapter(model, null);
    expect(model.outHead.outFeatures).to.equal(40);
    expect(bits(answer(model))).to.equal(plain);
    const after = Object.entries(allBits(model)).map(([key, value]) => [key.replace('.linear.', '.'), value]);
    expect(Object.fromEntries(after)).to.deep.equal(before);
    expect(() => nn.setAdapter(model, 'none')).to.throw(
      UserError,
      'the model has classifier, all, saved-norm',
    );
    nn.removeAdapter(model, 'classifier');
    expect(() => nn.setAdapter(model, 'classifier')).to.throw(UserError, 'no adapter classifier');
  });

  it('with LoRA on the head come back bit for bit from one that brings a whole head', () => {
    const model = adapted();
    const own = bits(answer(model));
    const gradients = () => {
      model.zeroGrad();
      model.forward(IDS).sum().backward();
      return Array.from(model.namedParameters(), ([name, p]) => [name, p.grad && bits(p.grad)]);
    };
    const ownGradients = gradients();
    io.loadAdapter(join(FIXTURE, 'classifier'), model, { name: 'classifier' });
    const classes = bits(answer(model));
    for (const name of ['default', 'classifier', 'default', 'default', 'classifier']) {
      nn.setAdapter(model, name);
      expect(bits(answer(model)), name).to.equal(name === 'default' ? own : classes);
    }
    nn.setAdapter(model, 'default');
    expect(gradients()).to.deep.equal(ownGradients);
    nn.removeAdapter(model, 'classifier');
    expect(bits(answer(model))).to.equal(own);
  });

  for (const isTied of [false, true]) {
    it(`on the ${isTied ? 'tied ' : ''}head too are saved, loaded, merged and switched with the same logits`, async () => {
      const fresh = () => {
        const model = base();
        if (isTied) (model.outHead as nn.Linear).weight = model.tokEmb.weight;
        return model;
      };
      const embedding = bits(fresh().tokEmb.weight);
      const plain = bits(answer(fresh()));
      const first = adapted({ name: 'first' }, fresh());
      const second = adapted({ name: 'second', targets: ['out_head'] }, fresh());
      const folders = { first: join(folder, 'first'), second: join(folder, 'second') };
      await io.saveAdapter(folders.first, first, { baseModel: 'tiny-gpt2' });
      await io.saveAdapter(folders.second, second, { baseModel: 'tiny-gpt2' });
      const wanted = { first: bits(answer(first)), second: bits(answer(second)) };
      expect(new Set([plain, wanted.first, wanted.second]).size).to.equal(3);

      const model = fresh();
      for (const name of ['first', 'second'] as const) io.loadAdapter(folders[name], model, { name });
      for (const name of ['first', 'second', 'first'] as const) {
        nn.setAdapter(model, name);
        expect(bits(answer(model)), name).to.equal(wanted[name]);
      }
      // Taking an update out again leaves the rounding of float32.
      for (const name of ['first', 'second', 'first'] as const) {
        nn.setAdapter(model, name);
        nn.mergeLoRA(model);
        expectTensor(answer(model), answer(name === 'first' ? first : second), 1e-5, `${name}, merged`);
        expect(bits(model.tokEmb.weight), 'the embedding').to.equal(embedding);
        nn.unmergeLoRA(model);
      }
      nn.setAdapter(model, null);
      expectTensor(answer(model), answer(fresh()), 1e-5, 'the base');
      expect(bits(model.tokEmb.weight)).to.equal(embedding);
    });
  }

  it('are added to the base model, whichever head stands in its place', () => {
    const alone = bits(answer(adapted({ name: 'later' })));
    manualSeed(7);
    const model = base();
    io.loadAdapter(join(FIXTURE, 'classifier'), model, { name: 'classifier' });
    const classes = bits(answer(model));
    adapted({ name: 'later' }, model);
    expect(bits(answer(model))).to.equal(alone);
    io.loadAdapter(join(FIXTURE, 'lm-head'), model, { name: 'lm-head' });
    const fresh = base();
    io.loadAdapter(join(FIXTURE, 'lm-head'), fresh);
    expect(bits(answer(model))).to.equal(bits(answer(fresh)));
    for (const name of ['later', 'classifier']) {
      nn.setAdapter(model, name);
      expect(bits(answer(model)), name).to.equal(name === 'later' ? alone : classes);
    }
    expect(() => nn.replaceLinearWithLoRA(model, { rank: 0, alpha: 1, name: 'x' })).to.throw(UserError);
    expect(bits(answer(model)), 'after one that could not be added').to.equal(classes);
  });

  it('are not half changed while one layer is merged', () => {
    const model = adapted();
    io.loadAdapter(join(FIXTURE, 'classifier'), model, { name: 'classifier' });
    const layers = Array.from(model.namedModules(), ([, m]) => m).filter(
      (m) => m instanceof nn.LinearWithLoRA,
    );
    layers.at(-1)!.merge();
    const classes = bits(answer(model));
    for (const change of [
      () => nn.setAdapter(model, 'default'),
      () => nn.removeAdapter(model, 'classifier'),
      () => nn.replaceLinearWithLoRA(model, { rank: 2, alpha: 3, name: 'third' }),
      () => io.loadAdapter(join(FIXTURE, 'all'), model),
    ]) {
      expect(change).to.throw(UserError, 'call nn.unmergeLoRA(model) first');
      expect(bits(answer(model))).to.equal(classes);
      expect(model.outHead.outFeatures).to.equal(3);
    }
  });

  it('are saved by name as if they were active, each with its own head', async () => {
    const model = base();
    for (const name of ['classifier', 'saved-norm', 'all'])
      io.loadAdapter(join(FIXTURE, name), model, { name });
    const wanted = bits(answer(model));
    for (const name of ['classifier', 'saved-norm']) {
      await io.saveAdapter(saved, model, { baseModel: 'tiny-gpt2', name });
      expect(bits(answer(model))).to.equal(wanted); // `all` is active as before
      const bytes = (at: string) => sha256(readFileSync(join(at, 'adapter_model.safetensors')));
      expect(bytes(saved)).to.equal(bytes(join(FIXTURE, name)));
    }
  });

  it("bring a language model's head whole and write it whole", async () => {
    const model = adapted({ targets: ['W_value'] });
    await io.saveAdapter(saved, model, { baseModel: 'tiny-gpt2' });
    const path = join(saved, 'adapter_model.safetensors');
    const head = randn(40, 12);
    await io.saveTensors(
      path,
      { ...io.loadTensors(path), 'base_model.model.lm_head.weight': head },
      { metadata: { format: 'pt' } },
    );
    const withHead = { ...config(), modules_to_save: ['lm_head'] };
    writeFileSync(join(saved, 'adapter_config.json'), JSON.stringify(withHead));
    const first = base();
    io.loadAdapter(saved, first);
    expect(bits(first.outHead.weight)).to.equal(bits(head));
    await io.saveAdapter(saved, first, { baseModel: 'tiny-gpt2' });
    expect(config().modules_to_save).to.deep.equal(['lm_head']);
    const second = base();
    io.loadAdapter(saved, second);
    expect(bits(answer(second))).to.equal(bits(answer(first)));
  });

  it('go through memory as through files', () => {
    const model = adapted();
    const again = base();
    io.loadAdapterFiles(io.adapterFiles(model, { baseModel: '' }), again);
    expect(bits(answer(again))).to.equal(bits(answer(model)));
  });

  it('of the same name replace each other whole', () => {
    const model = base();
    io.loadAdapter(join(FIXTURE, 'all'), model);
    io.loadAdapter(join(FIXTURE, 'suffix'), model);
    const alone = base();
    io.loadAdapter(join(FIXTURE, 'suffix'), alone);
    expect(bits(answer(model))).to.equal(bits(answer(alone)));
  });

  describe('of a classifier', () => {
    function classifier(norm: 'random' | 'new'): GPTModel {
      const model = base();
      if (norm === 'new')
        noGrad(
          () => model.finalNorm.scale.copyInPlace(tensor(1)) && model.finalNorm.shift.copyInPlace(tensor(0)),
        );
      model.outHead = new nn.Linear(12, 2);
      return adapted({}, model);
    }

    it('take the head with its update and, worked into it, its bias, which GPT-2 has no place for', async () => {
      const model = classifier('random');
      expect(await io.saveAdapter(saved, model, { baseModel: 'tiny-gpt2' })).to.deep.equal([]);
      expect(config()).to.deep.include({ task_type: 'SEQ_CLS', modules_to_save: ['classifier', 'score'] });
      expect(shapes()['score.weight']).to.deep.equal([2, 12]);
      expect(Object.keys(shapes()).filter((name) => name.startsWith('score'))).to.have.length(1);
      const again = base();
      io.loadAdapter(saved, again);
      expect(again.outHead.bias).to.equal(null);
      expectTensor(answer(again), answer(model), 1e-5);
    });

    it('say so and keep the bias apart where that cannot be done', async () => {
      const model = classifier('new');
      const notes = await io.saveAdapter(saved, model, { baseModel: 'tiny-gpt2' });
      expect(notes.join()).to.include('kept as score.bias');
      const again = base();
      noGrad(
        () => again.finalNorm.scale.copyInPlace(tensor(1)) && again.finalNorm.shift.copyInPlace(tensor(0)),
      );
      io.loadAdapter(saved, again);
      expectTensor(answer(again), answer(model), 1e-5);
    });
  });

  it('replace an older one as a whole: what cannot be written leaves both its files', async () => {
    const path = join(folder, 'older');
    const model = base();
    nn.replaceLinearWithLoRA(model, { rank: 2, alpha: 2 });
    await io.saveAdapter(path, model, { baseModel: 'tiny' });
    const files = () => readdirSync(path).map((name) => [name, sha256(readFileSync(join(path, name)))]);
    const before = files();
    const other = base();
    nn.replaceLinearWithLoRA(other, { rank: 3, alpha: 3 });
    for (const name of ['adapter_config.json', 'adapter_model.safetensors']) {
      const inTheWay = join(path, `.${name}.of.adapter_config.json.part`);
      mkdirSync(inTheWay);
      expect(await failure(io.saveAdapter(path, other, { baseModel: 'tiny' }))).to.include('cannot write');
      rmSync(inTheWay, { recursive: true });
      expect(files()).to.deep.equal(before);
    }
  });

  it('are refused where they cannot be written', async () => {
    const save = (model: nn.Module, options: object = { baseModel: '' }) =>
      failure(io.saveAdapter(saved, model, options as io.SaveAdapterOptions));
    expect(await save(base())).to.include(
      'the model has no LoRA adapter; make one with nn.replaceLinearWithLoRA',
    );
    const model = adapted();
    expect(await save(model, {})).to.include("the base model's name is needed");
    expect(await save(model, { base_model: '' })).to.include('did you mean baseModel?');
    expect(await save(model, { baseModel: '', name: 'other' })).to.include('the model has no adapter other');
    expect(await save(model.trfBlocks)).to.include('Sequential does not tell how its layers are called');
    nn.mergeLoRA(model);
    expect(await save(model)).to.include('nn.unmergeLoRA(model) first');
    nn.unmergeLoRA(model);
    nn.setAdapter(model, null);
    expect(await save(model)).to.include('no adapter is active; name one of default');
  });
});

describe('an adapter that cannot be used', () => {
  before(() => useBackend('js'));
  const place = join(folder, 'wrong');
  const CONFIG = join(place, 'adapter_config.json');
  const TENSORS = join(place, 'adapter_model.safetensors');

  /** Loading a case of the fixture with some of its configuration changed. */
  function load(change: Record<string, unknown>, model = base(), from = 'all'): () => void {
    rmSync(place, { recursive: true, force: true });
    cpSync(join(FIXTURE, from), place, { recursive: true });
    writeFileSync(CONFIG, JSON.stringify({ ...JSON.parse(readFileSync(CONFIG, 'utf8')), ...change }));
    return () => void io.loadAdapter(place, model);
  }

  const refused: [string, Record<string, unknown>, string][] = [
    ['of another kind', { peft_type: 'IA3' }, 'an adapter of the kind IA3 is not read here, only LORA'],
    ['without a kind', { peft_type: undefined }, 'it has no peft_type'],
    ...(['use_dora', 'lora_bias', 'use_qalora', 'use_new_thing'] as const).map(
      (key): [string, Record<string, unknown>, string] => [
        key,
        { [key]: true },
        `${key} is set, and only plain LoRA`,
      ],
    ),
    ['with trained tokens', { trainable_token_indices: [1] }, 'trainable_token_indices is set'],
    ['with other parameters', { target_parameters: ['x'] }, 'target_parameters is set'],
    ['with repeated layers', { layer_replication: [[0, 2]] }, 'layer_replication is set'],
    ['with biases', { bias: 'all' }, 'bias is "all"'],
    ['on a changed base', { init_lora_weights: 'pissa_niter_4' }, 'which changes the base model too'],
    ['of no rank', { r: 0 }, 'r is 0, not a positive whole number'],
    ['of a wrong alpha', { lora_alpha: 'x' }, 'lora_alpha is "x", not a number'],
    ['without an alpha', { lora_alpha: null }, 'lora_alpha is null, not a number'],
    ['of a wrong dropout', { lora_dropout: 2 }, 'lora_dropout is 2'],
    ['of wrong targets', { target_modules: 3 }, 'target_modules is 3, not names'],
    ['of a wrong pattern', { rank_pattern: { c_fc: -1 } }, 'rank_pattern of c_fc is -1'],
    ['of wrong layers', { layers_to_transform: ['a'] }, 'layers_to_transform is ["a"], not numbers'],
    [
      'of another rank than it says',
      { r: 4 },
      'A of transformer.h.0.attn.c_attn is [2, 12], expected [4, 12]; ',
    ],
    [
      'that lacks a layer',
      { target_modules: [...'abc'].map(() => 'c_fc').concat('c_proj', 'c_attn', 'lm_head') },
      'has no tensors for lm_head',
    ],
    [
      'with a layer too many',
      { target_modules: ['c_attn', 'c_fc'] },
      'has tensors for transformer.h.0.attn.c_proj',
    ],
    ['that lacks what it saves', { modules_to_save: ['ln_f'] }, 'no tensors for transformer.ln_f'],
  ];
  for (const [what, change, message] of refused) {
    it(`${what} is refused by name, and the model stays as it was`, () => {
      const model = base();
      const before = String(model);
      expect(load(change, model)).to.throw(UserError, message);
      expect(load(change, model)).to.throw(UserError, /^[^\n]{1,400}$/);
      expect(String(model)).to.equal(before);
    });
  }

  it('with whole numbers for weights is refused, and the model stays as it was', () => {
    const attempt = load({});
    const bytes = readFileSync(TENSORS);
    const at = bytes.indexOf('"dtype":"F32"');
    bytes.write('I', at + '"dtype":"'.length);
    writeFileSync(TENSORS, bytes);
    expect(attempt).to.throw(
      UserError,
      'the adapter has whole numbers for base_model.model.transformer.h.0.',
    );
  });

  it('fits another base: the first shapes that differ are named', () => {
    expect(load({}, base(16))).to.throw(
      UserError,
      'it is for tiny-gpt2: A of transformer.h.0.attn.c_attn is [2, 12], expected [2, 16]; ' +
        'B of transformer.h.0.attn.c_attn is [36, 2], expected [48, 2]; ' +
        'A of transformer.h.0.attn.c_proj is [2, 12], expected [2, 16] and 21 more',
    );
    expect(load({}, base(16), 'classifier')).to.throw(UserError, 'it is for tiny-gpt2');
  });

  it('is not where it should be', () => {
    const model = base();
    expect(() => io.loadAdapter(join(folder, 'none'), model)).to.throw(
      UserError,
      'none does not exist; check the path',
    );
    expect(() => io.loadAdapter(TENSORS, model)).to.throw(UserError, 'is a file; give the folder it lies in');
    load({});
    rmSync(TENSORS);
    expect(() => io.loadAdapter(place, model)).to.throw(UserError, 'has no adapter_model.safetensors');
    writeFileSync(join(place, 'adapter_model.bin'), '');
    expect(() => io.loadAdapter(place, model)).to.throw(UserError, "PyTorch's pickle, adapter_model.bin");
    load({});
    rmSync(CONFIG);
    expect(() => io.loadAdapter(place, model)).to.throw(UserError, "cannot read the adapter's configuration");
    for (const text of ['', '[]', '{"r": ', 'null', '"LORA"']) {
      writeFileSync(CONFIG, text);
      expect(() => io.loadAdapter(place, model)).to.throw(UserError, /is not (a )?JSON/);
    }
    nn.replaceLinearWithLoRA(model, { rank: 1, alpha: 1 });
    nn.mergeLoRA(model);
    expect(load({}, model)).to.throw(UserError, 'call nn.unmergeLoRA(model) first');
  });

  it('is damaged in any way: one line, or an adapter of the same shapes', () => {
    const model = base();
    const plain = bits(answer(model));
    const [config, tensors] = [CONFIG, TENSORS].map((path) =>
      readFileSync(join(FIXTURE, 'patterns', path.slice(place.length))),
    );
    load({}, model, 'patterns');
    const damaged = (bytes: Buffer, at: number, value: number, length: number) => {
      const copy = Buffer.from(bytes.subarray(0, Math.max(1, Math.floor(length * bytes.length))));
      copy[Math.floor(at * copy.length)] = value;
      return copy;
    };
    const share = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    const cut = fc.oneof({ weight: 4, arbitrary: fc.constant(1) }, share);
    fc.assert(
      fc.property(fc.boolean(), share, fc.nat(255), cut, (inConfig, at, value, length) => {
        // The header is where most can go wrong.
        const place = inConfig ? at : (at * at * 6000) / tensors.length;
        writeFileSync(CONFIG, inConfig ? damaged(config, place, value, length) : config);
        writeFileSync(TENSORS, inConfig ? tensors : damaged(tensors, Math.min(place, 0.99), value, length));
        try {
          io.loadAdapter(join(folder, 'wrong'), model);
          expect(answer(model).shape).to.deep.equal([2, 9, 40]);
        } catch (error) {
          expect(error, String((error as Error).stack)).to.be.instanceOf(UserError);
          expect((error as Error).message).to.match(/^[^\n]{1,600}$/);
        }
      }),
      { numRuns: 400 },
    );
    nn.setAdapter(model, null);
    expect(bits(answer(model))).to.equal(plain);
  }).timeout(120_000);
});
