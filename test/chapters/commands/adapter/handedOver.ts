import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { obtainModel } from '../../../../chapters/chapter05/index.ts';
import { saveClassifierSettings } from '../../../../chapters/chapter06/index.ts';
import { classesOf, readOwnTexts } from '../../../../chapters/datasets/index.ts';
import { io, manualSeed, nn, noGrad, randn } from '../../../../lib/index.ts';
import { program } from '../../../support/program.ts';

/** 40 texts of four classes. */
export const TEXTS = fileURLToPath(new URL('../../../fixtures/tables/texts.csv', import.meta.url));

export function adapterCommand(args: readonly string[], input = '') {
  return program('chapters/commands/adapter/run.ts', [...args, '--backend', 'wasm'], input);
}

/** Makes an adapter of `mini`, always the same, and hands it over to the folder `out` in it. */
export async function handOver(folder: string, ...more: string[]) {
  manualSeed(3);
  const model = (await obtainModel({ model: 'mini' })).eval();
  const labels = classesOf(await readOwnTexts(TEXTS, {}), TEXTS);
  model.outHead = new nn.Linear(model.config.embDim, labels.length);
  model.requiresGrad_(false);
  nn.replaceLinearWithLoRA(model, { rank: 2, alpha: 4 });
  noGrad(() => {
    for (const [name, p] of model.namedParameters())
      if (name.endsWith('.B')) p.copyInPlace(randn(...p.shape).mul(0.03));
  });
  const adapter = join(folder, 'adapter');
  const out = join(folder, 'out');
  await io.saveAdapter(adapter, model, { baseModel: 'mini' });
  await saveClassifierSettings(adapter, { labels, maxLength: 16, padTokenId: 50256, synthetic: false });
  const run = await adapterCommand([
    'handover',
    '--adapter',
    adapter,
    '--data',
    TEXTS,
    '--out',
    out,
    '--batch-size',
    '4',
    ...more,
  ]);
  expect(run.status, run.stderr).to.equal(0);
  return { model, adapter, out, labels };
}
