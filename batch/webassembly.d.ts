/** The part of WebAssembly's interface that the night and the build need: TypeScript has it among the types of a browser only. */
declare namespace WebAssembly {
  class RuntimeError extends Error {}
  class Module {
    constructor(bytes: Uint8Array)
  }
  class Memory {
    constructor(description: { initial: number; maximum: number; shared: true })
    readonly buffer: ArrayBuffer
    grow(pages: number): number
  }
  class Instance {
    constructor(module: Module, imports: Record<string, Record<string, unknown>>)
    readonly exports: unknown
  }
}
