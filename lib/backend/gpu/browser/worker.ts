import type { Command, GpuMode } from '../protocol.ts';
import { firstLine, Unavailable } from '../worker/engine.ts';
import type { GpuJsModule } from '../worker/gpujs.ts';
import { pulseProgram, serve } from '../worker/serve.ts';

/** The worker that owns the GPU, in a browser. The first message says which mode, the others bring commands. */
addEventListener(
  'message',
  ({ data: { mode, control } }: MessageEvent<{ mode: GpuMode; control: SharedArrayBuffer }>) => {
    const pulse = new Blob([`onmessage = ({ data }) => {${pulseProgram('data')}};`]);
    new Worker(URL.createObjectURL(pulse)).postMessage(control);
    void serve(mode, control, {
      loadGpuJs,
      greet: (greeting) => postMessage(greeting),
      onCommands: (listener) => {
        addEventListener('message', ({ data }: MessageEvent<Command[]>) => listener(data));
      },
      leave: () => close(),
    });
  },
  { once: true },
);

/** The package need not be installed: bundlers leave an import alone that is made here, and it fails where it is not. */
async function loadGpuJs(): Promise<GpuJsModule> {
  try {
    return (await import('gpu.js')).default as unknown as GpuJsModule;
  } catch (error) {
    throw new Unavailable(`the package gpu.js does not load: ${firstLine(error)}`);
  }
}
