/** What a bundler's loader for bytes makes of the kernels: see load.browser.ts. */
declare module '*.wasm' {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}
