import { linkSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { expect } from 'chai';
import type { OptionSpecs } from '../../../chapters/common/options.ts';
import { checkPaths } from '../../../chapters/common/paths.ts';
import { failure } from '../../support/failure.ts';

const OPTIONS = {
  data: { type: 'path', access: 'read', help: '', words: ['stand-in'] },
  adapter: { type: 'path', access: 'read', help: '' },
  out: { type: 'path', access: 'writeFolder', help: '' },
  parts: { type: 'path', access: 'writeFolder', help: '', files: ['train.parquet'] },
  json: { type: 'path', access: 'writeFile', help: '' },
} as const satisfies OptionSpecs;

describe('nothing that is read is written', () => {
  const root = mkdtempSync(join(tmpdir(), 'paths-'));
  const [data, adapter, inAdapter] = ['data.csv', 'adapter', 'adapter/adapter_config.json'].map((name) =>
    join(root, name),
  );
  before(() => {
    writeFileSync(data, '');
    mkdirSync(adapter);
    writeFileSync(inAdapter, '');
    symlinkSync(data, join(root, 'link'));
    linkSync(data, join(root, 'hard-link'));
    symlinkSync(adapter, join(root, 'same'));
  });
  after(() => rmSync(root, { recursive: true }));
  const check = (values: Record<string, string>, within?: string) => checkPaths(OPTIONS, values, within);

  it('under any of its names', async () => {
    const refused: [Record<string, string>, string?][] = [
      [{ data, json: data }],
      [{ data, json: join(root, 'adapter', '..', 'data.csv') }],
      [{ data, json: relative(process.cwd(), data) }],
      [{ data, json: join(root, 'link') }],
      [{ data: join(root, 'link'), json: data }],
      [{ data, json: join(root, 'hard-link') }],
      [{ adapter, json: inAdapter }],
      [{ adapter, json: join(root, 'same', 'merged.safetensors') }],
      [{ adapter, out: adapter }],
      [{ adapter, out: join(root, 'same') }],
      [{ adapter, out: root }], // the program writes to folders in it
      [{ adapter, out: root }, 'adapter'],
      [{ adapter: join(root, 'same'), out: root }, 'adapter'],
      [{ data: join(root, 'link'), out: root }],
    ];
    for (const [values, within] of refused) {
      const written = values.json === undefined ? '--out' : '--json';
      expect(await failure(check(values, within)), JSON.stringify(values)).to.match(
        new RegExp(`^${written} would write to \\S+, and --(data|adapter) reads \\S+: give another place$`),
      );
    }
    expect(readdirSync(root).sort()).to.deep.equal(['adapter', 'data.csv', 'hard-link', 'link', 'same']);
  });

  it('and what lies elsewhere is written', async () => {
    await check({ data, adapter, json: join(root, 'figures.json') });
    await check({ data: 'stand-in', json: data });
    await check({ data, parts: root }); // only train.parquet gets there
    await check({ data, adapter, out: root }, 'chapter06');
    await check({ adapter, out: join(adapter, 'deeper') });
    expect(
      await failure(check({ data: inAdapter, parts: root, json: join(root, 'data.csv', 'x') })),
    ).to.include('cannot write');
    writeFileSync(join(root, 'train.parquet'), '');
    expect(await failure(check({ data: join(root, 'train.parquet'), parts: root }))).to.include(
      '--parts would write to',
    );
    expect(await failure(check({ adapter: root, parts: root }))).to.include('--parts would write to');
  });

  it('nor is a result of the same command, which a file in its folder could be', async () => {
    const out = join(root, 'runs');
    for (const json of [
      'chapter06/1-lora-loss.svg',
      'chapter06/adapter/classifier.json',
      'chapter06/lora/x.json',
    ])
      expect(await failure(check({ out, json: join(out, json) }, 'chapter06')), json).to.match(
        /^--json \S+ would lie among the results of --out: give another place, such as \S+runs\/chapter06\/[\w-]+\.json$/,
      );
    expect(await failure(check({ parts: root, json: join(root, 'train.parquet') }))).to.include(
      'among the results',
    );
    await check({ out, json: join(out, 'chapter06', 'figures.json') }, 'chapter06');
    await check({ out, json: join(out, 'figures') }, 'chapter07');
    await check({ parts: out, json: join(out, 'figures') });
  });

  it('nor is the project itself, with the model that is shipped', async () => {
    const shipped = 'chapters/models/mini';
    const all: Record<string, string>[] = [
      { json: `${shipped}/model.safetensors` },
      { out: shipped },
      { out: 'lib' },
    ];
    for (const values of all)
      expect(await failure(check(values))).to.match(
        /^--(json|out) \S+ is part of this project: give another place$/,
      );
  });
});
