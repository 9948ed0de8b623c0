/** What of ONNX Runtime's C interface is used here. Addresses and handles are byte offsets into its memory; 0 = it failed. */
export type OnnxApi = {
  _malloc(bytes: number): number
  _free(address: number): void
  _OrtInit(threads: number, logLevel: number): number
  _OrtGetLastError(codeAt: number, messageAt: number): number
  _OrtCreateSessionOptions(
    optimization: number,
    arena: boolean,
    memoryPattern: boolean,
    executionMode: number,
    profiling: boolean,
    profilePrefix: number,
    logId: number,
    logSeverity: number,
    logVerbosity: number,
    optimizedModelPath: number,
  ): number
  _OrtReleaseSessionOptions(options: number): number
  _OrtCreateSession(graph: number, bytes: number, options: number): number
  _OrtGetInputOutputCount(session: number, inputsAt: number, outputsAt: number): number
  _OrtGetInputOutputMetadata(session: number, index: number, nameAt: number, metadataAt: number): number
  _OrtFree(address: number): number
  _OrtCreateTensor(type: number, data: number, bytes: number, dims: number, rank: number, location: number): number
  _OrtReleaseTensor(tensor: number): number
  _OrtRun(
    session: number,
    inputNames: number,
    inputs: number,
    inputCount: number,
    outputNames: number,
    outputCount: number,
    outputs: number,
    options: number,
  ): number
  UTF8ToString(address: number): string
}

export type WasmMemory = { readonly buffer: ArrayBuffer; grow(pages: number): number }
export type WasmExports = Record<string, unknown>
export type WasmImports = Record<string, Record<string, unknown>>

/** Emscripten's part of onnxruntime-web; every call makes a runtime with a memory of its own. */
export type OnnxGlue = (options: {
  numThreads: 1
  instantiateWasm(imports: WasmImports, done: (instance: { exports: WasmExports }) => void): void
}) => Promise<OnnxApi>

export type Runtime = { api: OnnxApi; memory: WasmMemory }

/**
 * A new runtime.
 * @param instantiate makes the instance, in as many steps as it likes, and gives the exports that the glue is to see; the
 * memory is the one that the glue made for it
 */
export function startRuntime(
  glue: OnnxGlue,
  instantiate: (imports: WasmImports, memory: WasmMemory) => Promise<WasmExports>,
): Promise<Runtime> {
  return new Promise((resolve, reject) => {
    let memory: WasmMemory
    const instantiateWasm = (imports: WasmImports, done: (instance: { exports: WasmExports }) => void): void => {
      memory = memoryOf(imports)
      // The glue waits for `done` and would wait for ever.
      instantiate(imports, memory).then((exports) => done({ exports }), reject)
    }
    glue({ numThreads: 1, instantiateWasm }).then((api) => resolve({ api, memory }), reject)
  })
}

/** The names of imports are minified anew in every version of the runtime: the memory is known by what it is. */
function memoryOf(imports: WasmImports): WasmMemory {
  for (const names of Object.values(imports))
    for (const value of Object.values(names)) if (value instanceof WebAssembly.Memory) return value as WasmMemory
  throw new Error('the ONNX runtime imports no memory')
}
