import { expect } from 'chai';
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
    ['an expression that is Python alone', { target_modules: '(?i:.*Q_PROJ)(' }, null],
    ['nothing said', {}, null],
    ['all linear layers', { target_modules: 'all-linear' }, true],
    ['excluded', { target_modules: 'all-linear', exclude_modules: ['q_proj'] }, false],
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

  it('take the first pattern that matches', () => {
    expect(patternValue({ k_proj: 1, '1\\..*': 2, q_proj: 3 }, Q, 8)).to.equal(2);
    expect(patternValue({ proj: 1 }, Q, 8)).to.equal(8);
    expect(patternValue({ [Q]: 5 }, Q, 8)).to.equal(5);
  });
});
