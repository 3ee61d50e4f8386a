import { join } from 'node:path';
import { expect } from 'chai';
import { HelpRequested, parseOptions, requireNode, runMain } from '../../../chapters/common/command-line.ts';
import { UsageError } from '../../../chapters/common/options.ts';
import { UserError } from '../../../lib/errors.ts';

const spec = {
  command: 'npm run thing --',
  summary: 'Does a thing.',
  examples: ['npm run thing -- --rank 4'],
  options: {
    rank: {
      type: 'number',
      group: 'Model',
      help: 'rank of A and B',
      default: 16,
      min: 1,
      max: 768,
      integer: true,
    },
    lr: { type: 'number', help: 'learning rate', default: 8e-4, above: 0 },
    maxLength: { type: 'number', help: 'tokens at most', integer: true },
    model: { type: 'choice', help: 'which model', choices: ['mini', 'gpt2-small'], default: 'mini' },
    data: { type: 'string', help: 'a local copy', placeholder: 'PATH' },
    out: { type: 'string', help: 'where to', default: 'runs', placeholder: 'DIR' },
    page: { type: 'path', access: 'writeFile', help: 'the page to write', ending: '.md' },
    weights: { type: 'path', access: 'read', help: 'the weights' },
    randomWeights: { type: 'boolean', help: 'do not load weights', excludes: ['weights'] },
    engine: { type: 'choice', help: 'engine', choices: ['js', 'wasm'], environment: 'THE_ENGINE' },
  },
} as const;

const parse = (...argv: string[]) => parseOptions(spec, argv, {});

describe('parseOptions', () => {
  it('gives the defaults', () => {
    expect(parse()).to.deep.equal({
      ...{ rank: 16, lr: 8e-4, maxLength: undefined, model: 'mini', data: undefined, out: 'runs' },
      ...{ page: undefined, weights: undefined, randomWeights: false, engine: undefined },
    });
  });

  it('reads every kind, with a space or an equals sign', () => {
    const given = parse(
      '--rank',
      '4',
      '--lr=1e-3',
      '--max-length',
      '128',
      '--model=gpt2-small',
      '--data',
      'a b',
      '--random-weights',
    );
    expect(given).to.deep.equal({
      ...{ rank: 4, lr: 1e-3, maxLength: 128, model: 'gpt2-small', data: 'a b', out: 'runs' },
      ...{ page: undefined, weights: undefined, randomWeights: true, engine: undefined },
    });
    // The types follow from the spec: these lines would not compile otherwise.
    const rank: number = given.rank;
    const maxLength: number | undefined = given.maxLength;
    const model: 'mini' | 'gpt2-small' = given.model;
    expect([rank, maxLength, model]).to.have.length(3);
  });

  it('takes a value from the environment, where the command line gives none', () => {
    const engine = (argv: string[], value: string) => parseOptions(spec, argv, { THE_ENGINE: value }).engine;
    expect(engine([], 'js')).to.equal('js');
    expect(engine([], '')).to.equal(undefined);
    expect(engine(['--engine', 'wasm'], 'js')).to.equal('wasm');
    expect(() => engine([], 'webgpu')).to.throw(
      UsageError,
      "THE_ENGINE must be one of js, wasm, not 'webgpu'",
    );
  });

  it('notices options that npm took for its own, because the -- before them was forgotten', () => {
    const meant = (argv: string[], environment: Record<string, string>) => () =>
      parseOptions(spec, argv, environment);
    const hint = (options: string) => `did you mean \`npm run thing -- ${options}\`?`;
    expect(meant([], { npm_config_rank: '4' })).to.throw(UsageError, hint('--rank 4'));
    // `npm run thing --rank 4 --random-weights`: npm hands the 4 on.
    const bare = { npm_config_rank: 'true', npm_config_random_weights: 'true' };
    expect(meant(['4'], bare)).to.throw(UsageError, hint('--rank 4 --random-weights'));
    expect(meant([], { npm_config_max_length: '9' })).to.throw(UsageError, hint('--max-length 9'));
    expect(meant([], { npm_config_json: 'true', npm_config_loglevel: 'silent' })).not.to.throw();
  });

  it('reads a path from where the user stands, not from where npm runs the script', () => {
    const here = process.cwd();
    const npm = { npm_package_json: join(here, 'package.json'), INIT_CWD: join(here, 'chapters') };
    const data = (environment: Record<string, string>) =>
      parseOptions(spec, ['--weights', '../x'], environment).weights;
    expect(data(npm)).to.equal(join(here, 'x'));
    expect(data({ ...npm, INIT_CWD: here })).to.equal('../x');
    // Started by a script, but somewhere else.
    expect(data({ ...npm, npm_package_json: join(here, 'elsewhere', 'package.json') })).to.equal('../x');
  });

  it('takes both ends of a range', () => {
    expect(parse('--rank', '1').rank).to.equal(1);
    expect(parse('--rank', '768').rank).to.equal(768);
  });

  it('takes a negative number as a value', () => {
    expect(parse('--max-length', '-5').maxLength).to.equal(-5);
  });

  const mistakes: [string[], string][] = [
    [['--rnak', '4'], 'unknown option --rnak; did you mean --rank?'],
    [['--rnak=4'], 'unknown option --rnak; did you mean --rank?'],
    [['-rank', '4'], 'unknown option -rank; did you mean --rank?'],
    [['--ranks', '4'], 'unknown option --ranks; did you mean --rank?'],
    [['--something'], 'unknown option --something; this command takes --rank, --lr, --max-length,'],
    [['-r', '4'], 'unknown option -r;'],
    [['--maxLength', '4'], 'unknown option --maxLength; did you mean --max-length?'],
    [['--no-random-weights'], 'unknown option --no-random-weights;'],
    [['--rank'], '--rank needs a value: a whole number from 1 to 768'],
    [['--data', '--rank', '3'], '--data needs a value: PATH'],
    [['--data='], '--data needs a value: PATH'],
    [['--rank', 'many'], "--rank must be a whole number from 1 to 768, not 'many'"],
    [['--rank', '1.5'], '--rank must be a whole number'],
    [['--rank', '0'], '--rank must be a whole number from 1 to 768'],
    [['--rank', '769'], '--rank must be a whole number from 1 to 768'],
    [['--rank', ' '], '--rank must be a whole number'],
    [['--lr', '-1'], "--lr must be a number above 0, not '-1'"],
    [['--lr', '0'], "--lr must be a number above 0, not '0'"],
    [['--page', 'table.csv'], "--page must be a file ending in .md, not 'table.csv'"],
    [['--rank', '4', '--lr', '1', '--rank', '8'], '--rank is given twice: give it once'],
    [['--random-weights', '--random-weights'], '--random-weights is given twice'],
    [['--lr', 'NaN'], '--lr must be a number'],
    [['--lr', 'Infinity'], '--lr must be a number'],
    [['--model', 'gpt5'], "--model must be one of mini, gpt2-small, not 'gpt5'"],
    [['--random-weights=yes'], "--random-weights takes no value, but got 'yes'"],
    [['file.txt'], "unexpected argument 'file.txt'; options begin with --"],
    [['rank', '4'], "unexpected argument 'rank'; did you mean --rank?"],
    [['--random-weights', '--weights', 'a'], '--random-weights and --weights contradict each other'],
    [['--weights', 'a', '--random-weights'], '--random-weights and --weights contradict each other'],
    [['--', '--rank'], "unexpected argument '--rank'"],
  ];
  for (const [argv, message] of mistakes) {
    it(`refuses ${argv.join(' ')}`, () => {
      expect(() => parse(...argv)).to.throw(UsageError, message);
      expect(() => parse(...argv)).to.throw(/^[^\n]+$/);
    });
  }

  it('explains itself on --help and -h, even beside a mistake before it is reached', () => {
    for (const flag of ['--help', '-h']) {
      expect(() => parse(flag, '--rnak')).to.throw(HelpRequested);
    }
    try {
      parse('--help');
    } catch (help) {
      const text = (help as Error).message;
      expect(text).to.include('Usage: npm run thing -- [options]\n\nDoes a thing.');
      expect(text).to.match(/\nModel:\n {2}--rank <N> +rank of A and B \(default 16\)\n/);
      expect(text).to.match(/\n {2}--model <NAME> +which model \(mini \| gpt2-small; default mini\)\n/);
      expect(text).to.match(/\n {2}--data <PATH> +a local copy\n/);
      expect(text).to.match(/\n {2}--random-weights +do not load weights\n/);
      expect(text).to.match(/\n {2}-h, --help +print this and end\n/);
      expect(text).to.match(/\nExamples:\n {2}npm run thing -- --rank 4$/);
      for (const line of text.split('\n')) expect(line.length, line).to.be.at.most(80);
    }
  });
});

describe('requireNode', () => {
  it('says in one line which Node is needed', () => {
    for (const version of ['18.20.8', '20.18.1', '16.0.0']) {
      expect(() => requireNode(version)).to.throw(
        UserError,
        `Node 20.19 or later is needed, and this is ${version}`,
      );
    }
    for (const version of ['20.19.0', '20.20.2', '22.0.0', '26.10.0']) requireNode(version);
  });
});

describe('runMain', () => {
  /** Runs with console and exit code caught: [stdout, stderr, exit code]. */
  async function caught(main: () => void | Promise<void>): Promise<[unknown[], unknown[], unknown]> {
    const { log, error } = console;
    const before = process.exitCode;
    const out: unknown[] = [];
    const err: unknown[] = [];
    console.log = (...args) => out.push(...args);
    console.error = (...args) => err.push(...args);
    try {
      process.exitCode = undefined;
      await runMain(main);
      return [out, err, process.exitCode];
    } finally {
      process.exitCode = before;
      Object.assign(console, { log, error });
    }
  }

  it("prints a user's mistake as one line and sets the exit code", async () => {
    const result = await caught(async () => {
      throw new UserError('no such file');
    });
    expect(result).to.deep.equal([[], ['error: no such file'], 1]);
  });

  it('exits with 2 on a mistake on the command line', async () => {
    const [, err, code] = await caught(() => void parse('--nothing'));
    expect(err[0]).to.match(/^error: unknown option --nothing/);
    expect(code).to.equal(2);
  });

  it('prints help on stdout and ends well', async () => {
    const [out, err, code] = await caught(() => void parse('--help'));
    expect(out[0]).to.match(/^Usage: /);
    expect(err).to.deep.equal([]);
    expect(code).to.equal(undefined);
  });

  it('keeps the stack of a fault of ours', async () => {
    const fault = new TypeError('x is not a function');
    expect(
      await caught(() => {
        throw fault;
      }),
    ).to.deep.equal([[], [fault], 1]);
  });
});
