import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import fc from 'fast-check';
import { createCollector } from '../../lib/backend/collect.node.ts';
import { jsKernels } from '../../lib/backend/js/index.ts';
import { useBackend } from '../../lib/backend/select.ts';
import { Storage, type TypedArray } from '../../lib/backend/storage.ts';
import { createWasmBackend } from '../../lib/backend/wasm/index.ts';
import { type Block, Heap } from '../../lib/backend/wasm/memory/heap.ts';
import { TensorMemory } from '../../lib/backend/wasm/memory/tensorMemory.ts';

const MB = 2 ** 20;

const newMemory = () => new WebAssembly.Memory({ initial: 1, maximum: 65536, shared: true });
const newTensorMemory = () => new TensorMemory(new Heap(newMemory(), 4096), createCollector());

describe('wasm memory', () => {
  it('gives out blocks that do not overlap, and joins all that come back', () => {
    const sizes = fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 3 * MB }));
    const action = fc.record({ bytes: sizes, give: fc.boolean(), which: fc.nat() });
    fc.assert(
      fc.property(fc.array(action, { maxLength: 200 }), (actions) => {
        const heap = new Heap(newMemory(), 4096);
        const taken: Block[] = [];
        for (const { bytes, give, which } of actions) {
          if (give && taken.length > 0) heap.give(taken.splice(which % taken.length, 1)[0]);
          const block = heap.take(bytes)!;
          expect(block.size).to.be.at.least(bytes);
          taken.push(block);
        }
        const inOrder = taken.toSorted((a, b) => a.pointer - b.pointer);
        let end = 4096;
        for (const block of inOrder) {
          expect(block.pointer).to.be.at.least(end);
          end = block.pointer + block.size;
        }
        const available = heap.memory.buffer.byteLength;
        expect(end).to.be.below(available);
        for (const block of taken) heap.give(block);
        expect(heap.bytesInUse).to.equal(0);
        // One free block again: nearly all of the memory in one piece, without growing.
        expect(heap.take(available - 8192, false), 'in one piece').not.to.equal(undefined);
      }),
      { numRuns: 50 },
    );
  });

  it('refuses what does not fit, and goes on', () => {
    const heap = new Heap(newMemory(), 4096, 100);
    expect(heap.take(200 * 65536)).to.equal(undefined);
    const block = heap.take(50 * 65536)!;
    expect(heap.take(60 * 65536)).to.equal(undefined);
    heap.give(block);
    expect(heap.take(60 * 65536)).not.to.equal(undefined);
  });

  it('stays flat over thousands of tensors made in one synchronous job', () => {
    const memory = newTensorMemory();
    for (let i = 0; i < 5000; i++) memory.allocate('float32', MB / 4, false);
    // 5 GB in all.
    expect(memory.heap.memory.buffer.byteLength).to.be.below(600 * MB);
    const kept = memory.heap.peakBytes;
    for (let i = 0; i < 1000; i++) memory.allocate('float32', MB / 4, false);
    expect(memory.heap.peakBytes).to.equal(kept);
  });

  it('looks through everything only where the young would not do, in a V8 that forgets young arrays', function () {
    const collector = createCollector()!;
    if (!collector.collectYoung!()) {
      console.log(
        `      skipped: V8 ${process.versions.v8} forgets no WeakRef's target when it collects the young alone`,
      );
      return this.skip();
    }
    const calls = { young: 0, all: 0 };
    const counting = {
      withinJob: true,
      collect() {
        calls.all++;
        collector.collect();
      },
      collectYoung: () => ++calls.young > 0 && collector.collectYoung!(),
    };
    const memory = new TensorMemory(new Heap(newMemory(), 4096), counting);
    for (let i = 0; i < 2000; i++) memory.allocate('float32', MB / 4, false);
    expect(calls.young).to.be.above(3);
    expect(calls.all).to.be.below(calls.young / 3);
    // What lives is not taken; where more and more lives, everything is looked through.
    const kept = Array.from({ length: 1000 }, () => memory.allocate('float32', MB / 4, false));
    expect(calls.all).to.be.above(0);
    expect(memory.heap.bytesInUse).to.be.at.least(kept.length * MB);
    expect(kept.every((array) => memory.holds(array))).to.equal(true);
  });

  it('takes tiny tensors back too', () => {
    const memory = newTensorMemory();
    let most = 0;
    for (let i = 0; i < 1_000_000; i++) {
      memory.allocate('float32', 1, false);
      most = Math.max(most, memory.heap.bytesInUse);
    }
    expect(most).to.be.below(128 * MB);
  });

  it('never takes what somebody still has', () => {
    const memory = newTensorMemory();
    const kept: Float32Array[] = [];
    for (let i = 0; i < 2000; i++) {
      const array = memory.allocate('float32', MB / 4, false) as Float32Array;
      array[0] = array[MB / 4 - 1] = i;
      if (i % 100 === 0) kept.push(array);
    }
    memory.collect();
    kept.forEach((array, i) => {
      expect([array[0], array[MB / 4 - 1]]).to.eql([100 * i, 100 * i]);
    });
    expect(memory.heap.bytesInUse).to.be.closeTo(kept.length * MB, 2 * MB);
  });

  it('gives zeros where asked to, also in used memory', () => {
    const memory = newTensorMemory();
    for (let i = 0; i < 200; i++) {
      const array = memory.allocate('int32', MB / 4, true);
      expect(array.every((value) => value === 0)).to.equal(true);
      array.fill(7);
    }
  });

  it('is one, whatever the threads, so that no tensor has to be copied after a change of the engine', async () => {
    const { memory } = createWasmBackend({ threads: 1 });
    expect(createWasmBackend({ threads: 3 }).memory).to.equal(memory);
    await useBackend('wasm', { threads: 1 });
    const before = Storage.empty('float32', 5);
    await useBackend('wasm', { threads: 2 });
    await useBackend('js');
    await useBackend('wasm');
    expect(memory.holds(before.data), 'the memory of before').to.equal(true);
    expect(memory.holds(Storage.empty('float32', 5).data), 'the memory of now').to.equal(true);
  });

  it('falls back to the JS heap when full, and the kernels still answer', function () {
    this.timeout(120_000);
    const { memory, kernels } = createWasmBackend({ threads: 2, variant: 'simd' }); // with a memory of its own
    const held: TypedArray[] = [];
    // 4 GB that nobody touches: the machine need not have them.
    while (held.length < 15) held.push(memory.allocate('float32', 64 * MB, false));
    expect(memory.holds(held[0])).to.equal(true);
    expect(memory.holds(held[14])).to.equal(false);
    held.push(memory.allocate('float32', 60 * MB, false));
    const view = (data: TypedArray, shape: number[], strides: number[]) => ({
      ...{ storage: Storage.of(data), shape, strides, offset: 0 },
    });
    const a = view(memory.allocate('float32', 64 * MB, true).fill(2), [8192, 8192], [8192, 1]);
    expect(memory.holds(a.storage.data), 'the operand').to.equal(false);
    const ones = view(new Float32Array(8192).fill(1), [8192, 1], [1, 1]);
    const product = kernels.matmul!(a, ones)!;
    expect([...new Set(product.data)]).to.eql([16384]);
  });

  it('does not give up, where memory is short, the packed panels that the product at hand uses', () => {
    const { memory, kernels } = createWasmBackend({ threads: 1, variant: 'simd' }); // with a memory of its own
    const matrix = (rows: number, columns: number, seed: number) => {
      const data = memory.allocate('float32', rows * columns, false);
      data.forEach((_, i) => {
        data[i] = Math.sin(seed * i);
      });
      return { storage: Storage.of(data), shape: [rows, columns], strides: [columns, 1], offset: 0 };
    };
    const weight = matrix(256, 4096, 2);
    const [few, many] = [matrix(24, 256, 3), matrix(126, 256, 5)];
    for (let use = 0; use < 3; use++) kernels.matmul!(few, weight); // its panels are kept now
    const wanted = jsKernels.matmul(many, weight).data;
    // Room for the result and no more: the rows of `many` can be packed only where something is given up.
    const room = memory.heap.take(wanted.byteLength)!;
    for (let bytes = 256 * MB; bytes >= 64; bytes /= 2) while (memory.heap.take(bytes));
    memory.heap.give(room);
    const found = kernels.matmul!(many, weight)!.data;
    expect(memory.holds(found), 'the result is where there was room').to.equal(true);
    found.forEach((value, i) => {
      if (Math.abs(value - wanted[i]) > 1e-3) expect.fail(`${value} at ${i}, wanted ${wanted[i]}`);
    });
  });

  it('lets the process end with threads waiting, and ends it without error', function () {
    this.timeout(60_000);
    const program = `
      import { createWasmBackend } from '${new URL('../../lib/backend/wasm/index.ts', import.meta.url)}';
      import { Storage } from '${new URL('../../lib/backend/storage.ts', import.meta.url)}';
      const { kernels } = createWasmBackend({ threads: 3 });
      const x = { storage: Storage.of(new Float32Array(512 * 512)), shape: [512, 512], strides: [512, 1], offset: 0 };
      kernels.matmul(x, x);
      console.log('done');
    `;
    const flags = ['--import', 'tsx', '--input-type=module', '--eval', program];
    const { status, stdout, stderr } = spawnSync(process.execPath, flags, {
      encoding: 'utf8',
      timeout: 50_000,
    });
    expect([stdout.trim(), stderr, status]).to.eql(['done', '', 0]);
  });
});
