import { expect } from 'chai';
import { describeEngine } from '../../../chapters/common/engine.ts';

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
    expect(describeEngine({ name: 'js', why: 'asked for' })).to.equal('js (asked for)');
    expect(describeEngine({ name: 'gpu', mode: 'webgpu', why: 'asked for: a card' })).to.equal(
      'gpu, webgpu (asked for: a card)',
    );
  });
});
