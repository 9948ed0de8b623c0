import glue, { key } from '../../dist/onnx/current/glue.mjs'
import graph from '../../dist/onnx/current/ranker.onnx'
import runtime from '../../dist/onnx/current/runtime.wasm'
import snapshot from '../../dist/onnx/current/snapshot.bin'
import type { OnnxGlue } from '../../shared/onnx/runtime.ts'

/** What ONNX is started from; `npm run build` makes it (batch/onnx/build.ts). */
export type Artefacts = {
  runtime: WebAssembly.Module
  glue: OnnxGlue
  /** Of the runtime that the glue belongs to. */
  key: string
  graph: ArrayBuffer
  snapshot: ArrayBuffer
}

export const deployed: Artefacts = { runtime, glue, key, graph, snapshot }
