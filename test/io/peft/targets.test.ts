import { expect } from 'chai';
import { UserError } from '../../../lib/index.ts';
import { parsePeftConfig } from '../../../lib/io/peft/config.ts';
import { isSaved, isTarget, patternValue } from '../../../lib/io/peft/targets.ts';

const config = (options: object) => parsePeftConfig({ peft_type: 'LORA', ...options }, 'adapter_config.json');
const Q = 'model.layers.1.self_attn.q_proj';

describe("PEFT's rules for names of layers", () => {
  const cases: [string, object, boolean | null][] = [
    ['the last part', { target_modules: ['q_proj'] }, true],
    ['the last parts', { target_modules: ['self_attn.q_proj'] }, true],
    ['an end that is no part', { target_modules: ['proj'] }, false],
    ['an expression for the whole', { target_modules: '.*q_proj' }, true],
    ['an expression for a piece', { target_modules: 'q_proj' }, false],
    ['a named group as in Python', { target_modules: '.*(?P<which>[qk])_proj' }, true],
    ['an expression that is Python alone', { target_modules: '(?i:.*Q_PROJ(?#))' }, true],
    ['all, in other letters', { target_modules: 'All-Linear' }, true],
    ['nothing said', {}, null],
    ['all linear layers', { target_modules: 'all-linear' }, true],
    ['excluded', { target_modules: 'all-linear', exclude_modules: ['q_proj'] }, false],
    ['excluded by an expression', { target_modules: ['q_proj'], exclude_modules: '.*\\.1\\..*' }, false],
    ['excluded by nothing', { target_modules: ['q_proj'], exclude_modules: '' }, true],
    [
      'brought whole by an expression',
      { target_modules: 'all-linear', modules_to_save: ['[a-z]+_attn'] },
      false,
    ],
    ['brought whole', { target_modules: 'all-linear', modules_to_save: ['self_attn'] }, false],
    ['that layer', { target_modules: ['q_proj'], layers_to_transform: 1 }, true],
    ['other layers', { target_modules: ['q_proj'], layers_to_transform: [0, 2] }, false],
    [
      'of a pattern',
      { target_modules: ['q_proj'], layers_to_transform: [1], layers_pattern: 'layers' },
      true,
    ],
    [
      'of another pattern',
      { target_modules: ['q_proj'], layers_to_transform: [1], layers_pattern: ['h'] },
      false,
    ],
  ];
  for (const [what, options, wanted] of cases) {
    it(`${what}: ${wanted}`, () => expect(isTarget(config(options), Q, false)).to.equal(wanted));
  }

  it('leave the head out of all linear layers', () => {
    expect(isTarget(config({ target_modules: 'all-linear' }), 'lm_head', true)).to.equal(false);
  });

  it('take every name with that end as brought whole', () => {
    const norm = config({ modules_to_save: ['norm'] });
    expect(isSaved(norm, 'model.norm')).to.equal(true);
    expect(isSaved(norm, 'model.layers.0.input_layernorm')).to.equal(true);
    expect(isSaved(norm, Q)).to.equal(false);
  });

  it('understand patterns as Python does, or say that they do not', () => {
    expect(patternValue({ '(?i:Q)_proj': 5 }, Q, 8)).to.equal(5);
    expect(patternValue({ 'q_(?#the query)proj': 5 }, Q, 8)).to.equal(5);
    expect(patternValue({ 'q{,1}_proj': 5 }, Q, 8)).to.equal(5);
    const wrong = [
      { alpha_pattern: { '(?i)q_proj': 1 } },
      { rank_pattern: { 'q_proj(': 1 } },
      { target_modules: '(?<q>q)_proj' },
      { exclude_modules: '.*\\z' },
      { modules_to_save: ['a**'] },
      { target_modules: ['q_proj'], layers_to_transform: 1, layers_pattern: '(?P<idx>h)' },
    ];
    for (const options of wrong)
      expect(() => config(options)).to.throw(
        UserError,
        /^adapter_config.json: the regular expression .* cannot be read as/,
      );
  });

  it('take every setting, or refuse it by name', () => {
    const refused = (options: object, name: string) =>
      expect(() => config(options)).to.throw(UserError, name);
    refused({ lora_future: 3 }, 'lora_future is set, and that is not known here');
    refused({ use_future: true }, 'use_future is set, and only plain LoRA is read here');
    refused({ init_lora_weights: 'future' }, 'init_lora_weights is "future", which is not known here');
    refused(
      { target_modules: 'x', layers_to_transform: [1] },
      'layers_to_transform and layers_pattern go with a list',
    );
    refused(
      { target_modules: ['x'], layers_pattern: 'h' },
      'layers_pattern is given without layers_to_transform',
    );
    refused({ ensure_weight_tying: 'yes' }, 'ensure_weight_tying is "yes", not true or false');
    const harmless = {
      lora_future: null,
      use_future: false,
      future_config: {},
      megatron_core: 'megatron.core',
    };
    expect(config({ ...harmless, qalora_group_size: 16, peft_version: '0.21' }).rank).to.equal(8);
  });

  it('take the first pattern that matches', () => {
    expect(patternValue({ k_proj: 1, '1\\..*': 2, q_proj: 3 }, Q, 8)).to.equal(2);
    expect(patternValue({ proj: 1 }, Q, 8)).to.equal(8);
    expect(patternValue({ [Q]: 5 }, Q, 8)).to.equal(5);
  });
});
