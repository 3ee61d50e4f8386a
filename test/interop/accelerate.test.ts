import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { obtainModel } from '../../chapters/chapter05/index.ts';
import {
  classProbabilities,
  prepareMessages,
  readClassifierSettings,
} from '../../chapters/chapter06/index.ts';
import { io } from '../../lib/index.ts';
import { handOver, TEXTS } from '../chapters/commands/adapter/handedOver.ts';

/** What `adapter -- handover` wrote, run by accelerate on two processes. LLMS_PYTHON names the Python that has it. */
const PYTHON = process.env.LLMS_PYTHON ?? 'python3';
const NEEDED = ['torch', 'transformers', 'peft', 'accelerate', 'pyarrow'];
const FIXTURE = JSON.parse(readFileSync(new URL('../fixtures/handover.json', import.meta.url), 'utf8'));

describe('a fine-tuning handed over to accelerate', function () {
  this.timeout(300_000);
  const folder = mkdtempSync(join(tmpdir(), 'accelerate-'));
  after(() => rmSync(folder, { recursive: true }));
  before(function () {
    if (spawnSync(PYTHON, ['-c', `import ${NEEDED.join(', ')}`]).status === 0) return;
    console.log(
      `    (${PYTHON} lacks one of ${NEEDED.join(', ')}: set LLMS_PYTHON to a Python that has them)`,
    );
    this.skip();
  });

  /** What the script prints, on two processes of this CPU. */
  function launch(out: string): string {
    const launcher = ['-m', 'accelerate.commands.launch', '--multi_gpu', '--num_processes', '2'];
    const run = spawnSync(PYTHON, [...launcher, join(out, 'train.py'), '--steps', '5'], {
      encoding: 'utf8',
      env: { ...process.env, CUDA_VISIBLE_DEVICES: '', HF_HUB_OFFLINE: '1', OMP_NUM_THREADS: '1' },
    });
    expect(run.status, run.stderr).to.equal(0);
    expect(run.stdout).to.match(/by 2 processes/);
    return run.stdout;
  }

  function expectOurLosses(out: string, printed: string, fixture: number[]): void {
    const theirs = Array.from(printed.matchAll(/^Step \d+: loss ([\d.]+) \(/gm), ([, loss]) => Number(loss));
    const { losses } = JSON.parse(readFileSync(join(out, 'handover.json'), 'utf8'));
    expect(theirs).to.have.length(5);
    for (const [i, loss] of theirs.entries()) {
      expect(loss, `step ${i + 1}`).to.be.closeTo(losses[i], 1e-4);
      expect(loss, `step ${i + 1}, as committed`).to.be.closeTo(fixture[i], 1e-4);
    }
  }

  it('goes on with our losses, and what it writes answers here as it does there', async () => {
    const { out } = await handOver(folder);
    const printed = launch(out);
    expectOurLosses(out, printed, FIXTURE.losses);

    const model = (await obtainModel({ model: 'mini' })).eval();
    io.loadAdapter(join(out, 'result'), model);
    const settings = readClassifierSettings(join(out, 'result'))!;
    const { parts } = await prepareMessages({ data: TEXTS, contextLength: 256 });
    const texts = parts.test.map(({ text }) => text);
    const right = classProbabilities(texts, model, settings).filter((probabilities, i) => {
      return probabilities.indexOf(Math.max(...probabilities)) === parts.test[i].label;
    });
    const accuracy = (100 * right.length) / texts.length;
    expect(printed).to.include(`Test accuracy: ${accuracy.toFixed(2)}%`);
  });

  it('starts again with our losses', async () => {
    const { out } = await handOver(folder, '--restart');
    expectOurLosses(out, launch(out), FIXTURE.restarted);
  });
});
