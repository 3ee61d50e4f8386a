import { expect } from 'chai';
import * as lib from '../../lib/index.ts';
import { onEachEngine } from '../support/engines.ts';
import { CALLS, type Call } from './calls.ts';
import { OBJECT_CALLS } from './objectCalls.ts';

const { ones, Tensor, tensor, UserError } = lib;

/** What stands in the place of an argument by mistake. */
const WRONG: Record<string, () => unknown> = {
  undefined: () => undefined,
  null: () => null,
  NaN: () => Number.NaN,
  Infinity: () => Infinity,
  '-5': () => -5,
  '7': () => 7,
  '0.5': () => 0.5,
  '2 ** 40': () => 2 ** 40,
  "'1'": () => '1',
  "'x'": () => 'x',
  true: () => true,
  '1n': () => 1n,
  '{}': () => ({}),
  '{ dim: 1 }': () => ({ dim: 1 }),
  '[]': () => [],
  '[NaN]': () => [Number.NaN],
  "['1']": () => ['1'],
  '[0.5]': () => [0.5],
  'a function': () => () => 1,
  'int32 [2]': () => tensor([0, 1], { dtype: 'int32' }),
  'bool [2]': () => tensor([true, false]),
  'float32 [5]': () => ones(5),
  'float32 [2, 2, 2]': () => ones(2, 2, 2),
  'float32 []': () => tensor(1),
  'float32 [0]': () => tensor([]),
};

/** Another tensor in the place of one: of other numbers, another type, shape or layout. */
const OTHER: Record<string, (x: lib.Tensor) => lib.Tensor> = {
  'as int32': (x) => x.int(),
  'as bool': (x) => x.bool(),
  'as float32': (x) => x.float(),
  'of NaN': (x) => (x.dtype === 'float32' ? x.mul(Number.NaN) : x),
  'far from zero': (x) => (x.dtype === 'float32' ? x.mul(1e30) : x.int().mul(1000)),
  'in columns': (x) => (x.ndim < 2 ? x : x.transpose(0, 1).contiguous().transpose(0, 1)),
  expanded: (x) => (x.ndim === 0 ? x : x.narrow(0, 0, 1).expand(x.shape)),
  'without rows': (x) => (x.ndim === 0 ? x : x.narrow(0, 0, 0)),
  'with an axis more': (x) => x.unsqueeze(0),
};

const isPlain = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;

/** Every way of getting one argument, or one option, wrong. */
function* mistakes(call: Call): Generator<[label: string, args: unknown[]]> {
  yield ['nothing', []];
  const good = call.args();
  for (const [i, arg] of good.entries()) {
    for (const [name, wrong] of Object.entries(WRONG)) yield [`${i}: ${name}`, call.args().with(i, wrong())];
    if (arg instanceof Tensor) {
      for (const [name, other] of Object.entries(OTHER)) yield [`${i}: ${name}`, good.with(i, other(arg))];
    }
    if (!isPlain(arg) || 'get' in arg) continue;
    yield [`${i}: an unknown option`, call.args().with(i, { ...arg, nonsense: 1 })];
    for (const key of Object.keys(arg)) {
      for (const [name, wrong] of Object.entries(WRONG))
        yield [`${key}: ${name}`, call.args().with(i, { ...arg, [key]: wrong() })];
    }
  }
}

/** Numbers in nested arrays, for tensors and lists of them; the name of anything else. */
function plain(value: unknown): unknown {
  if (value instanceof Tensor) return [value.dtype, [...value.shape], value.toFlatArray().map(Number)];
  if (Array.isArray(value)) return value.map(plain);
  if (isPlain(value)) return Object.entries(value).map(([key, each]) => [key, plain(each)]);
  return typeof value === 'object' && value !== null ? value.constructor.name : value;
}

function isNear(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((x, i) => isNear(x, b[i]));
  if (typeof a !== 'number' || typeof b !== 'number') return a === b;
  return Object.is(a, b) || a === b || Math.abs(a - b) <= 1e-5 * Math.max(1, Math.abs(a), Math.abs(b));
}

/** Chosen by themselves in the tests of engines and of printing; they would change what the others answer. */
const APART = ['useBackend', 'setPrintOptions'];
/** What takes any number of arguments, or asks for none, has no surplus. */
const ANY_NUMBER =
  /^(zeros|ones|rand|randn|einsum|isGradEnabled|nn\.(Sequential|SiLU|ReLU)|module\.forward|x\.(reshape|view|expand|permute|repeat|index))$/;

const all = [...CALLS, ...OBJECT_CALLS];
const tried = all.filter(({ name }) => !APART.includes(name));
/** The methods that a class's objects have, beside what is private or for its own classes. */
function methodsOf(Class: { prototype: object }, as: string): [string, unknown][] {
  const own = Object.entries(Object.getOwnPropertyDescriptors(Class.prototype));
  return own
    .filter(([name, { get }]) => !get && !NOT_PUBLIC.includes(name))
    .map(([name, { value }]) => [`${as}.${name}`, value]);
}
const NOT_PUBLIC = ['constructor', 'members', 'namedState', 'describe', 'checkState', 'gradients'];

const answers = new Map<string, unknown>();

describe('the table of calls', () => {
  it('has every function, class and method of the library', () => {
    const isCalled = (value: unknown) => typeof value === 'function';
    const { F, io, nn, optim } = lib;
    const inside = Object.entries({ F, io, nn, optim }).flatMap(([name, members]) =>
      Object.entries(members).map(([key, value]) => [`${name}.${key}`, value]),
    );
    const named = [
      ...Object.entries(lib).filter(([name]) => name !== 'Tensor'),
      ...inside,
      ...Object.entries(lib.nn.init).map(([key, value]) => [`nn.init.${key}`, value]),
      ...methodsOf(Tensor, 'x'),
      ...methodsOf(nn.Module, 'module'),
      ...methodsOf(optim.Optimizer, 'optimiser'),
    ] as [string, unknown][];
    // Bases that are extended, what only shows a state, and what waits for the runtime.
    const without = [
      'DeviceLostError',
      'UserError',
      'Dataset',
      'nn.Module',
      'optim.Optimizer',
      'memoryUse',
      'activeEngine',
      'gpuTraffic',
      'yieldToRuntime',
      // What checks others' arguments, and puts lists in words.
      'checkOptions',
      'firstFew',
    ];
    // How the chapters read and write files: their mistakes are about files, and test/io makes them.
    const ofFiles = (name: string) => /^io\./.test(name) && !/^io\.(load|save|adapter)/.test(name);
    const missing = named.filter(
      ([name, value]) =>
        isCalled(value) &&
        !without.includes(name) &&
        !ofFiles(name) &&
        !all.some((call) => call.name === name),
    );
    expect(missing.map(([name]) => name)).to.deep.equal([]);
  });
});

onEachEngine('a mistake in an argument', () => {
  for (const call of tried) {
    it(`of ${call.name} is refused in one line, or answered alike on every engine`, async () => {
      for (const [label, args] of mistakes(call)) {
        const which = `${call.name} with ${label}`;
        let answer: unknown;
        try {
          answer = plain(await call.run(...args));
        } catch (error) {
          expect(error, `${which}: ${(error as Error).stack}`).to.be.instanceOf(UserError);
          answer = (error as Error).message;
          expect(answer, which).to.not.include('\n');
          expect(answer, which).to.have.length.at.most(250);
        }
        if (!answers.has(which)) answers.set(which, answer);
        else if (!isNear(answer, answers.get(which))) expect(answer, which).to.deep.equal(answers.get(which));
      }
    });
  }

  it('of too many is refused', async () => {
    for (const { name, run, args } of tried.filter((call) => !ANY_NUMBER.test(call.name))) {
      const ending = (async () => run(...args(), 1))().then(() => `${name} answered`, String);
      expect(await ending, name).to.match(/^UserError: .*argument/);
    }
  });
});
