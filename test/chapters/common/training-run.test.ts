import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { Interrupted, resumeCommand } from '../../../chapters/common/command-line.ts';
import { runThroughLostGpu } from '../../../chapters/common/lost-gpu.ts';
import { fingerprint, runToEnd, TrainingPlace } from '../../../chapters/common/training.ts';
import { DeviceLostError, useBackend } from '../../../lib/index.ts';
import { onChangeOfDisk } from '../../../lib/io/write-files.node.ts';
import { failure } from '../../support/failure.ts';
import {
  emptyHistory,
  newTraining,
  resultOf,
  type SmallOptions,
  type SmallResult,
  STEPS,
  smallSteps,
  trainSmall,
} from '../../support/small-training.ts';

class Killed extends Error {}

/** Stops the run before a step, as a kill does: nothing more is saved. */
const killBefore = (killed: number) => (step: number) => {
  if (step === killed) throw new Killed();
};

async function killed(options: SmallOptions, step: number): Promise<void> {
  try {
    await trainSmall({ ...options, beforeStep: killBefore(step) });
  } catch (error) {
    if (!(error instanceof Killed)) throw error;
  }
}

describe('a training run that survives', function () {
  this.timeout(60_000);
  let root: string;
  let whole: SmallResult;
  const newFolder = () => mkdtempSync(join(root, 'run-'));
  before(async () => {
    await useBackend('wasm'); // as the programs below, whose bits are compared with ours
    root = mkdtempSync(join(tmpdir(), 'training-run-'));
    whole = await trainSmall({ folder: newFolder() });
  });
  after(() => rmSync(root, { recursive: true }));

  it('comes to what the plain loop comes to', () => {
    const training = newTraining();
    const lines: string[] = [];
    const place = new TrainingPlace(emptyHistory());
    const history = runToEnd(smallSteps(training, place, (line) => void lines.push(line)));
    expect(resultOf(training, history, lines)).to.deep.equal(whole);
    expect(history.losses).to.have.length(STEPS);
    expect(place.step).to.equal(STEPS - 1);
  });

  it('killed again and again, at any steps, ends with the same bits', async () => {
    const kills = fc.array(fc.integer({ min: 0, max: STEPS }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(kills, fc.integer({ min: 1, max: 7 }), async (steps, saveEvery) => {
        const folder = newFolder();
        let resume = false;
        for (const step of steps) {
          await killed({ folder, saveEvery, resume }, step);
          resume = true;
        }
        expect(await trainSmall({ folder, saveEvery: 50, resume })).to.deep.equal(whole);
      }),
      { numRuns: 10 },
    );
  });

  it('goes on from a finished run with what it ended with', async () => {
    const folder = newFolder();
    await trainSmall({ folder });
    expect(await trainSmall({ folder, resume: true, beforeStep: killBefore(3) })).to.deep.equal(whole);
  });

  it('does not overwrite a run that was stopped, unless it is told to; one that came to its end it does', async () => {
    const folder = newFolder();
    await killed({ folder, saveEvery: 2 }, 9);
    expect(await failure(trainSmall({ folder }))).to.equal(
      `${folder} has the checkpoint of a run that was stopped after step 8 of ${STEPS}: ` +
        'go on with --resume, or begin again with --anew, which replaces it',
    );
    expect(await trainSmall({ folder, anew: true })).to.deep.equal(whole);
    expect(await trainSmall({ folder })).to.deep.equal(whole);
  });

  it('without a checkpoint begins anew, with a line', async () => {
    const lines: string[] = [];
    const empty = newFolder();
    const result = await trainSmall({ folder: empty, resume: true, print: (line) => lines.push(line) });
    expect(result).to.deep.equal(whole);
    expect(lines).to.deep.equal([`No checkpoint in ${empty}: from the beginning`]);
  });

  it('killed between the two renames of a checkpoint, goes on from the one before', async () => {
    const folder = newFolder();
    await killed({ folder, saveEvery: 2 }, 5);
    renameSync(join(folder, 'checkpoint.safetensors'), join(folder, 'checkpoint-before.safetensors'));
    writeFileSync(join(folder, 'checkpoint-next.safetensors'), 'half of it');
    const lines: string[] = [];
    const result = await trainSmall({ folder, resume: true, print: (line) => lines.push(line) });
    expect(result).to.deep.equal(whole);
    expect(lines).to.deep.equal([`Going on after step 4 of ${STEPS}`]);
  });

  it('a damaged last checkpoint gives way to the one before, with a line', async () => {
    const damages: fc.Arbitrary<(bytes: Buffer) => Buffer> = fc.oneof(
      fc.double({ min: 0, max: 1, noNaN: true }).map((share) => (bytes: Buffer) => {
        return bytes.subarray(0, Math.floor(share * (bytes.length - 1)));
      }),
      fc.double({ min: 0, max: 0.999, noNaN: true }).map((share) => (bytes: Buffer) => {
        const changed = Buffer.from(bytes);
        changed[Math.floor(share * bytes.length)] ^= 1;
        return changed;
      }),
    );
    await fc.assert(
      fc.asyncProperty(damages, async (damage) => {
        const folder = newFolder();
        await killed({ folder, saveEvery: 2 }, 7);
        const last = join(folder, 'checkpoint.safetensors');
        writeFileSync(last, damage(readFileSync(last)));
        const lines: string[] = [];
        const result = await trainSmall({ folder, resume: true, print: (line) => lines.push(line) });
        expect(result).to.deep.equal(whole);
        expect(lines).to.have.length(2);
        expect(lines[0]).to.match(/checkpoint\.safetensors.*: trying the one before$/);
        expect(lines[1]).to.equal(`Going on after step 4 of ${STEPS}`);
      }),
      { numRuns: 10 },
    );
  });

  it('with other options is refused, and says which', async () => {
    const folder = newFolder();
    await killed({ folder, saveEvery: 2, lr: 0.05 }, 5);
    const other = await failure(trainSmall({ folder, resume: true, lr: 0.01 }));
    expect(other).to.match(/they differ in --lr \(0\.05 there, 0\.01 here\): give the same options/);
    expect(await failure(trainSmall({ folder, resume: true }))).to.include(
      '--lr (0.05 there, not given here)',
    );
    expect(await trainSmall({ folder, resume: true, lr: 0.05, saveEvery: 9 })).to.deep.equal(whole);
  });

  it('with other data is refused, by what the data are and not by where they lie', async () => {
    const folder = newFolder();
    const facts = { 'the messages': fingerprint(['a', 'b']) };
    await killed({ folder, saveEvery: 2, facts }, 5);
    const other = { 'the messages': fingerprint(['a', 'c']) };
    const refused = await failure(trainSmall({ folder, resume: true, facts: other }));
    expect(refused).to.match(/they differ in the messages \(SHA-256 \w{12} there, SHA-256 \w{12} here\)/);
    const moved = { folder, resume: true, facts: { ...facts }, data: '/moved/messages.csv' };
    expect(await trainSmall(moved)).to.deep.equal(whole);
  });

  it('killed at every change of the disk, goes on to the same bits', async () => {
    const folder = newFolder();
    let changes = 1;
    for (let at = 0; at < changes; at++) {
      rmSync(folder, { recursive: true });
      await killed({ folder, saveEvery: 2 }, 5); // steps 2 and 4 are saved
      let done = 0;
      onChangeOfDisk(() => {
        if (++done > at) throw new Killed();
      });
      try {
        await trainSmall({ folder, saveEvery: 3, resume: true });
      } catch (error) {
        if (!(error instanceof Killed)) throw error;
      } finally {
        onChangeOfDisk(() => {});
      }
      changes = Math.max(changes, done);
      expect(await trainSmall({ folder, saveEvery: 50, resume: true })).to.deep.equal(whole);
    }
    expect(changes).to.be.above(10);
  });

  it('ends with one line where a checkpoint cannot be written, and the ones before are whole', async () => {
    const folder = newFolder();
    const inTheWay = join(folder, '.checkpoint-next.safetensors.of.checkpoint-next.safetensors.part');
    const beforeStep = (step: number) => void (step === 5 && mkdirSync(inTheWay));
    expect(await failure(trainSmall({ folder, saveEvery: 2, beforeStep }))).to.match(
      /^cannot write .*checkpoint/,
    );
    rmSync(inTheWay, { recursive: true, force: true });
    const lines: string[] = [];
    const result = await trainSmall({ folder, resume: true, print: (line) => lines.push(line) });
    expect(result).to.deep.equal(whole);
    expect(lines).to.deep.equal([`Going on after step 4 of ${STEPS}`]);
  });

  it('is refused where a folder has the place of a checkpoint', async () => {
    for (const name of ['checkpoint', 'checkpoint-before', 'checkpoint-next']) {
      const folder = newFolder();
      mkdirSync(join(folder, `${name}.safetensors`));
      expect(await failure(trainSmall({ folder }))).to.match(
        /safetensors is a folder, and a checkpoint is written there/,
      );
      expect(readdirSync(folder)).to.deep.equal([`${name}.safetensors`]);
    }
  });

  it('stops when the loss is not a number any more', async () => {
    const message = await failure(trainSmall({ folder: newFolder(), lr: 1e38 }));
    expect(message).to.match(/^the loss of step \d+ is (NaN|Infinity): .*smaller learning rate/);
  });

  it('Ctrl-C saves, says how to go on, and the run ends with the same bits', async () => {
    const folder = newFolder();
    const beforeStep = (step: number) => void (step === 6 && process.emit('SIGINT', 'SIGINT'));
    let stopped: unknown;
    try {
      await trainSmall({ folder, beforeStep });
    } catch (error) {
      stopped = error;
    }
    expect(stopped).to.be.instanceOf(Interrupted);
    expect((stopped as Interrupted).exitCode).to.equal(130);
    expect((stopped as Error).message).to.match(
      /^stopped after step 7 of 12, all is saved; go on with: .* --resume$/,
    );
    process.removeAllListeners('SIGINT').removeAllListeners('SIGTERM');
    expect(await trainSmall({ folder, resume: true })).to.deep.equal(whole);
  });

  it('a GPU lost in mid-run: goes on from its own last checkpoint, with one line more than a whole run', async () => {
    const folder = newFolder();
    await killed({ folder, saveEvery: 2, lr: 0.01 }, 9); // another run has been here
    const steps: number[] = [];
    const printed: string[] = [];
    let isLost = false;
    let switches = 0;
    const attempt = async (print: (line: string) => void) => {
      print('Preparing');
      const beforeStep = (step: number) => {
        steps.push(step);
        if (step !== 7 || isLost) return;
        isLost = true;
        throw new DeviceLostError('it was unplugged');
      };
      const result = await trainSmall({ folder, saveEvery: 2, anew: true, beforeStep, print });
      for (const line of result.lines) print(line);
      return result;
    };
    const result = await runThroughLostGpu(
      attempt,
      (line) => printed.push(line),
      async () => ++switches,
    );
    expect(result).to.deep.equal(whole);
    expect(switches).to.equal(1);
    expect(steps.slice(0, 9)).to.deep.equal([0, 1, 2, 3, 4, 5, 6, 7, 6]);
    expect(printed.slice(0, 3)).to.deep.equal([
      'Preparing',
      'The GPU was lost (it was unplugged): going on from the last checkpoint on the CPU',
      `Going on after step 6 of ${STEPS}`,
    ]);
    expect(printed.slice(3)).to.deep.equal(whole.lines);
  });

  it('a GPU lost before anything was saved: from the beginning', async () => {
    let isLost = false;
    const folder = newFolder();
    const beforeStep = () => {
      if (isLost) return;
      isLost = true;
      throw new DeviceLostError('it was unplugged');
    };
    const attempt = (print: (line: string) => void) => trainSmall({ folder, print, beforeStep });
    expect(
      await runThroughLostGpu(
        attempt,
        () => {},
        async () => {},
      ),
    ).to.deep.equal(whole);
  });

  it('says what to type to go on', () => {
    const argv = ['node', '/x/run.ts', '--rank', '4', '--data', "it's here", '--resume'];
    expect(resumeCommand(argv, { npm_lifecycle_event: 'chapter06' })).to.equal(
      String.raw`npm run chapter06 -- --rank 4 --data 'it'\''s here' --resume`,
    );
  });

  describe('as a program', () => {
    const program = new URL('../../support/small-training-program.ts', import.meta.url).pathname;

    /** Runs it, and sends a signal when it is about to begin a step. */
    function start(folder: string, args: string[], signal?: NodeJS.Signals, at = -1) {
      const child = spawn(process.execPath, ['--import', 'tsx', program, '--folder', folder, ...args]);
      let [out, err] = ['', ''];
      let isSent = false;
      child.stdout.on('data', (text) => (out += text));
      child.stderr.on('data', (text) => {
        err += text;
        if (!signal || isSent || !err.split(';').includes(String(at))) return;
        isSent = child.kill(signal);
      });
      return new Promise<{ code: number | null; out: string; err: string }>((resolve) => {
        child.on('close', (code) => resolve({ code, out, err: err.replaceAll(/\d+;/g, '').trim() }));
      });
    }

    it('killed by SIGKILL, then stopped by SIGINT, then resumed: the same bits', async () => {
      const folder = newFolder();
      const args = ['--save-every', '2', '--pause', '20'];
      const first = await start(folder, args, 'SIGKILL', 5);
      expect(first.out).to.equal('');
      expect(existsSync(join(folder, 'checkpoint.safetensors'))).to.equal(true);
      const second = await start(folder, [...args, '--resume'], 'SIGINT', 8);
      expect(second.code).to.equal(130);
      expect(second.err).to.match(/^stopped after step \d+ of 12, all is saved; go on with: .* --resume$/);
      const third = await start(folder, ['--resume']);
      expect(third.err).to.equal('');
      expect(JSON.parse(third.out)).to.deep.equal(JSON.parse(JSON.stringify(whole)));
    });
  });
});
