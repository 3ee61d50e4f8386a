import { once } from 'node:events';
import { expect } from 'chai';
import { startThread } from '../../lib/backend/wasm/threads.node.ts';

describe('helping threads', () => {
  it('that cannot run are a warning of one line, and not the end of the program', async () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    const noKernels = new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)); // no work() in it
    const warning = once(process, 'warning');
    await startThread(noKernels, memory, 1);
    const [{ message }] = await warning;
    expect(message).to.match(/^a helping thread has ended \(.+\); the other threads do its work$/);
  });
});
