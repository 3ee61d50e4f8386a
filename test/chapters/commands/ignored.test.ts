import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { HelpRequested, parseOptions } from '../../../chapters/common/command-line.ts';
import { kebab, type OptionSpecs, UsageError } from '../../../chapters/common/options.ts';
import { COMMANDS } from '../../support/commands.ts';

const given = (options: OptionSpecs, words: readonly string[]) =>
  parseOptions({ command: 'npm run it --', summary: '', options, words: '[WORD …]' }, words, {});

/** How a command line can have an option: not at all, or with one of some values. */
function waysToGive(options: OptionSpecs, name: string): string[][] {
  const option = options[name];
  const flag = `--${kebab(name)}`;
  if (option.type === 'boolean') return [[], [flag]];
  if (option.type === 'choice') return [[], ...option.choices.map((choice) => [flag, choice])];
  if (option.type !== 'number') return [[], [flag, `x${(option.type === 'path' && option.ending) || ''}`]];
  return [[], [flag, String(Math.min(1, option.max ?? 1))], ...(option.min === 0 ? [[flag, '0']] : [])];
}

/** The options that an option's `counts` names, and those that theirs name. */
function namedBy(options: OptionSpecs, name: string, found = new Set<string>()): string[] {
  for (const conditions of options[name].counts ?? []) {
    for (const other of Object.keys(conditions)) {
      if (found.has(other)) continue;
      found.add(other);
      namedBy(options, other, found);
    }
  }
  return [...found];
}

function allWays(options: OptionSpecs, names: readonly string[]): string[][] {
  const [name, ...others] = names;
  if (name === undefined) return [[]];
  const rest = allWays(options, others);
  return waysToGive(options, name).flatMap((words) => rest.map((more) => [...words, ...more]));
}

describe('an option that the others make ignored is refused', () => {
  for (const [command, options] of Object.entries(COMMANDS)) {
    for (const name of Object.keys(options).filter((each) => options[each].counts)) {
      it(`${command} --${kebab(name)}`, () => {
        const others = namedBy(options, name);
        for (const other of others) expect(options, `counts of --${kebab(name)}`).to.have.property(other);
        const ignored = new RegExp(`^--${kebab(name)} would be ignored, it counts only with(out)? --`);
        const own = waysToGive(options, name).at(-1)!;
        const outcomes = new Set<string>();
        for (const way of allWays(options, others)) {
          try {
            given(options, [...own, ...way]);
            outcomes.add('taken');
          } catch (error) {
            expect(error).to.be.instanceOf(UsageError);
            if (ignored.test((error as Error).message)) outcomes.add('refused');
          }
        }
        expect([...outcomes].sort()).to.deep.equal(['refused', 'taken']);
      });
    }
  }

  const IGNORED: [command: string, words: string, line: string][] = [
    [
      'chapter06',
      '--method head --rank 4',
      '--rank would be ignored, it counts only with --method lora or all',
    ],
    ['chapter06', '--method last-block --alpha 8', '--alpha would be ignored'],
    ['chapter06', '--method full --rank 4', '--rank would be ignored'],
    ['chapter06', '--epochs 0 --lr 0.1', '--lr would be ignored, it counts only with --epochs above 0'],
    ['chapter06', '--epochs 0 --class-weights balanced', '--class-weights would be ignored'],
    ['chapter06', '--epochs 0 --keep best', '--keep would be ignored'],
    ['chapter06', '--epochs 0 --resume', '--resume would be ignored'],
    ['chapter06', '--validation-data a.csv --test-data b.csv --split random', '--split would be ignored'],
    ['chapter06', '--backend js --threads 2', '--threads would be ignored'],
    ['chapter06', '--gpu-mode webgpu', '--gpu-mode would be ignored, it counts only with --backend gpu'],
    ['chapter06', '--quiet --modules', '--modules would be ignored, it counts only without --quiet'],
    ['chapter07', '--rank 4', '--rank would be ignored, it counts only with --method lora or all'],
    ['chapter07', '--method full --alpha 4', '--alpha would be ignored'],
    ['chapter07', '--model gpt2-medium --slow', '--slow would be ignored, it counts only with --model mini'],
    ['llama', '--rank 4', '--rank would be ignored, it counts only with --finetune'],
    ['llama', '--prompt x --class-weights balanced', '--class-weights would be ignored'],
    ['llama', '--prompt x --top-k 4', '--top-k would be ignored, it counts only with --temperature above 0'],
    [
      'llama',
      '--temperature 1',
      '--temperature would be ignored, it counts only with --prompt, or with --chat',
    ],
    [
      'llama',
      '--finetune --max-new-tokens 9',
      '--max-new-tokens would be ignored, it counts only without --finetune',
    ],
    [
      'llama',
      '--chat --out x',
      '--out would be ignored, it counts only with --finetune, or without --prompt and without --chat',
    ],
    ['generate', '--prompt x --seed 4', '--seed would be ignored, it counts only with --temperature above 0'],
    ['generate', '--prompt x --top-p 0.5 --temperature 0', '--top-p would be ignored'],
    ['evaluate', '--backend js --threads 2', '--threads would be ignored'],
    ['figures', '--chapter chapter03 --slow', '--slow would be ignored, it counts only with --chapter'],
    ['figures', '--chapter chapter07 --weights x', '--weights would be ignored'],
    ['bench gemm', '--threads 2', 'unknown option --threads; this command takes'],
    ['bench step', '--rounds 2', 'unknown option --rounds'],
    ['bench tables', '--rounds 2', 'unknown option --rounds'],
  ];
  for (const [command, words, line] of IGNORED) {
    it(`${command} ${words}`, () => {
      expect(() => given(COMMANDS[command], words.split(' '))).to.throw(UsageError, line);
    });
  }

  it('what is not given is not refused, whatever an environment says', () => {
    const spec = { command: 'npm run it --', summary: '', options: COMMANDS.chapter06 };
    expect(() => parseOptions(spec, ['--method', 'head'], { LLMS_BACKEND: 'js' })).not.to.throw();
    expect(() => parseOptions(spec, ['--threads', '2'], { LLMS_BACKEND: 'js' })).to.throw('--threads');
  });

  it('--help says where an option counts', () => {
    expect(() => given(COMMANDS.chapter06, ['--help'])).to.throw(
      HelpRequested,
      /with\s+--method\s+lora\s+or\s+all/,
    );
  });
});

describe('the commands in the pages for readers', () => {
  const root = fileURLToPath(new URL('../../../', import.meta.url));
  const pages = ['README.md', 'CONTRIBUTING.md', 'docs', 'chapters'].flatMap((path) =>
    path.endsWith('.md')
      ? [path]
      : readdirSync(join(root, path), { recursive: true, encoding: 'utf8' })
          .filter((name) => name.endsWith('.md'))
          .map((name) => join(path, name)),
  );
  let count = 0;
  for (const page of pages) {
    const text = readFileSync(join(root, page), 'utf8').replaceAll(/\\\n\s*/g, '');
    for (const [line, name, rest] of text.matchAll(/npm run (\w+) -- ([^`#\n]*?)(?= {2,}|[`#\n])/g)) {
      const words = [...rest.matchAll(/"[^"]*"|'[^']*'|\S+/g)].map(([word]) =>
        word.replaceAll(/^["']|["']$/g, ''),
      );
      const command = { adapter: words[0], bench: `bench ${words[0]}` }[name] ?? name;
      if (command !== name) words.shift();
      if (!(command in COMMANDS) || /[…[\]]/.test(rest)) continue;
      count++;
      it(`${page}: ${line}`, () => {
        expect(() => given(COMMANDS[command], words)).not.to.throw(UsageError);
      });
    }
  }
  it('are many', () => expect(count).to.be.above(40));
});
