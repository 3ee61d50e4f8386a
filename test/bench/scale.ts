import { formatTable } from '../../chapters/common/table.ts';
import { noGrad } from '../../lib/index.ts';
import { loraClassifier, randomBatch } from './model.ts';
import { measure } from './timing.ts';

export interface ScaleRow {
  batch: number;
  length: number;
  secondsPerToken: number;
}

/** Seconds per token of GPT-2 small's forward pass with LoRA: messages of 109 tokens by batch, one message by length. */
export async function scale(): Promise<ScaleRow[]> {
  const { model, lastOnly } = loraClassifier();
  const shapes = [
    ...[1, 2, 4, 8, 16, 32].map((batch) => ({ batch, length: 109 })),
    ...[32, 64, 128, 256, 512, 1024].map((length) => ({ batch: 1, length })),
  ];
  const rows: ScaleRow[] = [];
  for (const { batch, length } of shapes) {
    const { ids } = randomBatch(batch, length);
    const seconds = await measure(() => noGrad(() => lastOnly(ids, model)), 3);
    rows.push({ batch, length, secondsPerToken: seconds / (batch * length) });
  }
  const cells = rows.map((row) =>
    [row.batch, row.length, (1000 * row.secondsPerToken).toFixed(3)].map(String),
  );
  console.log(formatTable(['batch', 'length', 'ms per token'], cells));
  return rows;
}
