import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { parseRanks } from '../../../chapters/appendixE/07-ranks.ts';
import { methodsOf } from '../../../chapters/commands/compare/run.ts';
import { readCommandLine } from '../../../chapters/common/command-line.ts';
import { COMMANDS } from '../../support/commands.ts';
import { failure } from '../../support/failure.ts';

/** Every mistake is one line before the work, and nothing is left where it would have been written. */
describe('mistakes at the commands that write', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mistakes-'));
  const file = join(folder, 'file');
  const kept = join(folder, 'kept');
  before(() => {
    writeFileSync(file, 'ham\tHello\n');
    mkdirSync(kept);
  });
  after(() => rmSync(folder, { recursive: true }));

  const none = join(folder, 'none');
  const below = join(file, 'below');
  const MISTAKES: [command: string, words: string[], line: RegExp][] = [
    ['chapter06', ['--alpha', '0'], /--alpha must be a number above 0, not '0'/],
    ['chapter06', ['--alpha', '-16'], /--alpha must be a number above 0/],
    ['chapter06', ['--lr', '0'], /--lr must be a number above 0/],
    ['chapter06', ['--lr', '1e-400'], /--lr must be a number above 0/],
    ['chapter06', ['--lr', '1,5'], /--lr must be a number above 0, not '1,5'/],
    ['chapter06', ['--epochs', '1', '--epochs', '2'], /--epochs is given twice/],
    ['chapter06', ['--resume', '--resume'], /--resume is given twice/],
    ['chapter06', ['--epochs', '-1'], /--epochs must be a whole number, at least 0/],
    ['chapter06', ['--epochs', '0x10g'], /--epochs must be a whole number/],
    ['chapter06', ['--batch-size', '0'], /--batch-size must be a whole number, at least 1/],
    ['chapter06', ['--save-every', '0.5'], /--save-every must be a whole number/],
    ['chapter06', ['--rank', '1e21'], /--rank must be a whole number/],
    ['chapter06', ['--method', 'Lora'], /--method must be one of last-block, lora/],
    ['chapter06', ['--method=lora,full'], /--method must be one of/],
    ['chapter06', ['--model', 'gpt2'], /--model must be one of mini, gpt2-small/],
    ['chapter06', ['--weights', none], /cannot read --weights: \S+ does not exist/],
    [
      'chapter06',
      ['--weights', kept, '--random-weights'],
      /--random-weights and --weights contradict each other/,
    ],
    ['chapter06', ['--data', none], /cannot read --data: \S+ does not exist/],
    ['chapter06', ['--data', ''], /--data needs a value: PATH/],
    ['chapter06', ['--data', '--method', 'lora'], /--data needs a value: PATH/],
    ['chapter06', ['--validation-data', none], /cannot read --validation-data/],
    ['chapter06', ['--split', 'stratify'], /--split must be one of stratified, random/],
    ['chapter06', ['--out', file], /cannot write to \S+/],
    ['chapter06', ['--out', below], /cannot write to \S+: it lies under something that is not a folder/],
    ['chapter06', ['--json', kept], /--json \S+ is a folder; name a file in it/],
    ['chapter06', ['--json', join(below, 'x.json')], /cannot write to/],
    ['chapter06', ['--json'], /--json needs a value: FILE/],
    ['chapter06', ['--plain=true'], /--plain takes no value, but got 'true'/],
    ['chapter06', ['--threads', '0'], /--threads must be a whole number from 1 to 128/],
    ['chapter06', ['--backend', 'cuda'], /--backend must be one of auto, wasm, gpu, js/],
    ['chapter06', ['--lora-rank', '8'], /unknown option --lora-rank/],
    ['chapter06', ['--learning-rate', '8'], /unknown option --learning-rate/],
    ['chapter06', ['--batchsize', '8'], /unknown option --batchsize; did you mean --batch-size/],
    ['chapter06', ['-o', folder], /unknown option -o/],
    ['chapter06', ['lora'], /unexpected argument 'lora'/],
    ['chapter05', ['--text', none], /cannot read --text/],
    ['chapter07', ['--lr', '0'], /--lr must be a number above 0/],
    ['chapter07', ['--answers', '2'], /--answers must be a whole number, at least 3/],
    ['appendixD', ['--epochs', '0'], /--epochs must be a whole number, at least 1/],
    ['appendixE', ['--alpha', 'NaN'], /--alpha must be a number above 0/],
    ['llama', ['--prompt', 'x', '--chat'], /--chat and --prompt contradict each other/],
    ['llama', ['--finetune', '--chat'], /--finetune and --chat contradict each other/],
    ['llama', ['--top-k', '0'], /--top-k must be a whole number, at least 1/],
    ['llama', ['--temperature', '-1'], /--temperature must be a number, at least 0/],
    ['pretrain', ['--lr', '0'], /--lr must be a number above 0/],
    ['pretrain', ['--length', '1'], /--length must be a whole number from 2 to 256/],
    ['pretrain', ['--steps', '0'], /--steps must be a whole number, at least 1/],
    ['compare', ['--out', 'foo.csv'], /--out must be a file ending in \.md, not 'foo\.csv'/],
    ['compare', ['--out', 'foo'], /--out must be a file ending in \.md/],
    ['compare', ['--seeds', '0'], /--seeds must be a whole number, at least 1/],
    ['compare', ['--runs', below], /cannot write to/],
    ['data', ['--from', none], /cannot read --from/],
    ['data', ['--seed', '-1'], /--seed must be a whole number from 0/],
    ['data', ['--out', below], /cannot write to/],
    ['data', ['--data', file], /unknown option --data/],
    ['merge', ['--out', 'x.pth'], /--out must be a file ending in \.safetensors, not 'x\.pth'/],
    ['merge', ['--out', 'folder/'], /--out must be a file ending in \.safetensors/],
    ['merge', ['--dtype', 'BF16'], /--dtype must be one of F32, F16/],
    ['merge', ['--adapter', none], /cannot read --adapter/],
    ['handover', ['--out', below], /cannot write to/],
    ['handover', ['--lr', '0'], /--lr must be a number above 0/],
    ['inspect', ['--out', file], /cannot write to/],
    ['evaluate', ['--data', none], /cannot read --data/],
    ['evaluate', ['--adapter', none, '--json', kept], /cannot read --adapter|is a folder/],
    ['generate', ['--top-p', '0'], /--top-p must be a number above 0, at most 1/],
    ['generate', ['--top-p', '1.5'], /--top-p must be a number above 0, at most 1/],
    ['generate', ['--max-new-tokens', '1e3.5'], /--max-new-tokens must be a whole number/],
  ];
  for (const [command, words, line] of MISTAKES) {
    it(`${command} ${words.map((word) => word.replace(folder, '…')).join(' ')}`, async () => {
      const spec = {
        command: `npm run ${command} --`,
        summary: '',
        options: COMMANDS[command],
      };
      expect(await failure(readCommandLine(spec, words))).to.match(line);
      expect(readdirSync(folder).sort()).to.deep.equal(['file', 'kept']);
      expect(readdirSync(kept)).to.deep.equal([]);
    });
  }

  it('lists that hold what does not exist, or one thing twice', () => {
    for (const list of ['lora-2', 'head,,full', 'head;full', '', 'head,head'])
      expect(() => methodsOf(list), list).to.throw(/--methods/);
    for (const list of ['4', '4,4', '0,4', '1.5,4', '4,', 'four,5'])
      expect(() => parseRanks(list), list).to.throw(/--ranks must be two different ranks or more/);
  });
});
