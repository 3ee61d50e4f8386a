import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { METHOD_NAMES } from '../../../../chapters/commands/compare/methods.ts';
import { Records } from '../../../../chapters/commands/compare/records.ts';
import { identify, plan } from '../../../../chapters/commands/compare/runs.ts';
import { failure } from '../../../support/failure.ts';
import { someResult } from './results.ts';

describe('compare: finished runs', () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'records-'));
    file = join(folder, 'runs.jsonl');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const [first, second] = [
    { run: { seed: 1 }, result: someResult({}) },
    { run: { seed: 2 }, result: someResult({}) },
  ];

  it('are there again when the file is read again, and only those', async () => {
    const records = await Records.open(folder);
    expect(records.get(first.run)).to.equal(undefined);
    await records.add(first);
    await records.add(second);
    const again = await Records.open(folder);
    expect(again.get({ seed: 1 })).to.deep.equal(first.result);
    expect(again.get({ seed: 2 })).to.deep.equal(second.result);
    expect(again.get({ seed: 3 })).to.equal(undefined);
  });

  it('half a line, of a program that was killed, is taken out, and the next goes below the whole ones', async () => {
    await (await Records.open(folder)).add(first);
    appendFileSync(file, '{"run":{"seed":2},"res');
    const records = await Records.open(folder);
    expect(records.get(second.run)).to.equal(undefined);
    await records.add(second);
    const again = await Records.open(folder);
    expect([again.get(first.run), again.get(second.run)]).to.deep.equal([first.result, second.result]);
    expect(readFileSync(file, 'utf8').trimEnd().split('\n')).to.have.length(2);
  });

  it('a damaged line is named', async () => {
    writeFileSync(file, `${JSON.stringify(first)}\n{"run"\n${JSON.stringify(second)}\n`);
    expect(await failure(Records.open(folder))).to.match(/runs\.jsonl, line 2, is damaged: take it out/);
    const { accuracy: _, ...without } = first.result;
    for (const line of [
      'null',
      '[]',
      '7',
      '{"run":1}',
      '{"run":{}}',
      JSON.stringify({ ...first, result: without }),
    ]) {
      writeFileSync(file, `${JSON.stringify(first)}\n${line}\n`);
      expect(await failure(Records.open(folder)), line).to.match(
        /runs\.jsonl, line 2, is damaged: take it out/,
      );
    }
  });
});

describe('compare: what a run is known by', () => {
  const circumstances = { splitSeed: 42, epochs: 3 };
  const contents = { messages: 'a', weights: 'b' };
  const name = (...args: Parameters<typeof identify>) => JSON.stringify(identify(...args));
  const task = { method: 'lora-16', base: 'pretrained', seed: 42 } as const;
  const own = name(task, circumstances, contents);

  it('no two of a plan have one name', () => {
    const tasks = plan(METHOD_NAMES, [42, 43, 44]);
    expect(tasks).to.have.length(48);
    expect(new Set(tasks.map((each) => name(each, circumstances, contents))).size).to.equal(48);
  });

  it('other messages, another split, length or number of passes, and other weights are another run', () => {
    const others = [
      name(task, circumstances, { ...contents, messages: 'c' }),
      name(task, { ...circumstances, splitSeed: 123 }, contents),
      name(task, { ...circumstances, maxLength: 20 }, contents),
      name(task, { ...circumstances, epochs: 5 }, contents),
      name(task, circumstances, { ...contents, weights: 'c' }),
    ];
    expect(new Set([own, ...others]).size).to.equal(6);
  });

  it('where the messages lie is no part of it, nor do random weights depend on mini’s', () => {
    expect(name(task, { ...circumstances, data: 'elsewhere' }, contents)).to.equal(own);
    const random = { ...task, base: 'random' } as const;
    expect(name(random, circumstances, { ...contents, weights: 'c' })).to.equal(
      name(random, circumstances, contents),
    );
  });
});
