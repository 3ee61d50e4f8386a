import { expect } from 'chai';
import { GPTModel } from '../../../chapters/chapter04/index.ts';
import { modelConfig, tokeniser } from '../../../chapters/chapter05/index.ts';
import {
  collateAnswersOnly,
  countLoRAParameters,
  formatPhi3,
  paddingShare,
} from '../../../chapters/chapter07/exercises.ts';
import { customCollate, formatExample, prepareModel } from '../../../chapters/chapter07/index.ts';
import { INSTRUCTIONS, type InstructionEntry, obtain } from '../../../chapters/datasets/index.ts';

const greet: InstructionEntry = { instruction: 'Greet.', input: '', output: 'Hello!' };
const add: InstructionEntry = { instruction: 'Add.', input: '1 and 2', output: '3' };

const TINY = { ...modelConfig('mini'), contextLength: 64, embDim: 16, nLayers: 1, nHeads: 2 };

describe('chapter 7: the exercises', () => {
  it('1: another layout, shorter', () => {
    expect(formatPhi3(add)).to.equal('<|user|>\nAdd.\n1 and 2\n\n<|assistant|>:3');
    expect(formatPhi3(greet)).to.equal('<|user|>\nGreet.\n\n<|assistant|>:Hello!');
    expect(tokeniser.encode(formatPhi3(add)).length).to.be.below(tokeniser.encode(formatExample(add)).length);
  });

  it('2: only the answer is learnt', () => {
    const [inputs, targets] = collateAnswersOnly([greet, add]);
    expect(inputs.toArray()).to.deep.equal(
      customCollate([greet, add].map((entry) => tokeniser.encode(formatExample(entry))))[0].toArray(),
    );
    [greet, add].forEach((entry, row) => {
      const learnt = (targets.select(0, row).toFlatArray() as number[]).filter((id) => id !== -100);
      expect(tokeniser.decode(learnt)).to.equal(`\n\n### Response:\n${entry.output}<|endoftext|>`);
    });
  });

  it('3: LoRA on GPT-2 medium trains 7,898,384 numbers', () => {
    expect(countLoRAParameters(modelConfig('gpt2-medium'), 16)).to.equal(7_898_384);
    expect(countLoRAParameters(TINY, 4)).to.equal(
      prepareModel(new GPTModel(TINY), 'lora', { rank: 4, alpha: 4 }),
    );
  });

  it('4: sorted by length, batches have less filling', async () => {
    expect(paddingShare([4, 2, 4, 2], 2)).to.equal(0.25);
    expect(paddingShare([4, 4, 2, 2], 2)).to.equal(0);
    const { data: entries } = await obtain(INSTRUCTIONS, { path: 'own' });
    const lengths = entries.map((entry) => tokeniser.encode(formatExample(entry)).length);
    const sorted = [...lengths].sort((a, b) => a - b);
    expect(paddingShare(sorted, 8)).to.be.below(paddingShare(lengths, 8) / 3);
  });
});
