import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { describeEngine } from '../../../chapters/common/engine.ts';
import { command } from '../../support/program.ts';

describe('a graphics driver without a card', () => {
  const folder = mkdtempSync(join(tmpdir(), 'driver-'));
  after(() => rmSync(folder, { recursive: true }));

  it('is passed over without a word: what it and WebGPU print about it is kept back', async () => {
    const driver = join(folder, 'icd.json');
    const ICD = { library_path: join(folder, 'missing.so'), api_version: '1.3.0' };
    writeFileSync(driver, JSON.stringify({ file_format_version: '1.0.0', ICD }));
    const chapter = ['--import', 'tsx', 'chapters/chapter03/run.ts', '--backend', 'auto'];
    const { status, stdout, stderr } = await command(process.execPath, chapter, {
      env: { VK_DRIVER_FILES: driver, VK_ICD_FILENAMES: driver },
    });
    expect([stderr, status]).to.deep.equal(['', 0]);
    expect(stdout).to.match(/^Engine: wasm, .*\(no GPU found\)/);
  });
});

describe('describeEngine', () => {
  it('is a short line, whatever the reason is', () => {
    const none = 'no GPU: webgpu: no graphics driver (Vulkan) is installed; headlessgl: it is not built here';
    expect(describeEngine({ name: 'wasm', threads: 2, why: none })).to.equal(
      'wasm, 2 threads (no GPU found)',
    );
    const slow = 'measured: webgpu (SwiftShader Device, Subzero) 4.1 GFLOP/s, wasm 70 GFLOP/s';
    expect(describeEngine({ name: 'wasm', threads: 1, why: slow })).to.equal(
      'wasm, 1 thread (measured: webgpu 4.1 GFLOP/s, wasm 70 GFLOP/s)',
    );
    const narrow = { threads: 2, vectors: 128, vectorsNote: 'Node 24 or later: 256' } as const;
    expect(describeEngine({ name: 'wasm', ...narrow, why: none })).to.equal(
      'wasm, 2 threads, 128-bit vectors (Node 24 or later: 256) (no GPU found)',
    );
    expect(describeEngine({ name: 'wasm', threads: 2, vectors: 256, why: none })).to.equal(
      'wasm, 2 threads, 256-bit vectors (no GPU found)',
    );
    expect(describeEngine({ name: 'js', why: 'asked for' })).to.equal('js (asked for)');
    expect(describeEngine({ name: 'gpu', mode: 'webgpu', why: 'asked for: a card' })).to.equal(
      'gpu, webgpu (asked for: a card)',
    );
  });
});
