/** Emscripten's part of the runtime, as the package has it and as it is deployed: it comes without types. */
declare module 'onnxruntime-web/ort-wasm-simd-threaded.mjs' {
  const glue: import('./runtime.ts').OnnxGlue
  export default glue
}

declare module '*/onnx/current/glue.mjs' {
  const glue: import('./runtime.ts').OnnxGlue
  export default glue
  /** Of the runtime that it was deployed with. */
  export const key: string
}
