/** Browsers have V8's pass only behind a flag of their own: see vectors.node.ts. */
export const joining = (): { possible: boolean; tested: boolean; why: string; note?: string } => ({
  ...{ possible: false, tested: false, why: 'they need Node' },
});

export const compileJoined = (bytes: Uint8Array<ArrayBuffer>): WebAssembly.Module =>
  new WebAssembly.Module(bytes);

export const vectorsInEnvironment = (): string | undefined => undefined;
