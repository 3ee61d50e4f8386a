import gpuJs from 'gpu.js';
import type { Command, GpuMode } from './commands.ts';
import type { GpuJsModule } from './engine/gpujs.ts';
import { pulseProgram, serve } from './serve.ts';

/** The worker that owns the GPU, in a browser. The first message says for what, the others bring commands. */
addEventListener(
  'message',
  ({ data: { mode, control } }: MessageEvent<{ mode: GpuMode; control: SharedArrayBuffer }>) => {
    const pulse = new Blob([`onmessage = ({ data }) => {${pulseProgram('data')}};`]);
    new Worker(URL.createObjectURL(pulse)).postMessage(control);
    void serve(mode, control, {
      loadGpuJs: async () => gpuJs as unknown as GpuJsModule,
      greet: (greeting) => postMessage(greeting),
      onCommands: (listener) => {
        addEventListener('message', ({ data }: MessageEvent<Command[]>) => listener(data));
      },
      leave: () => close(),
    });
  },
  { once: true },
);
