/** The kernels as a bundler's loader for bytes gives them: see load.browser.ts. */
declare module '*.wasm' {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}
