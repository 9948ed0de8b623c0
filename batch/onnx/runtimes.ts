import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { type Runtime, startRuntime, type WasmExports } from '../../shared/onnx/runtime.ts'
import { openSession, type SessionState, type Shape } from '../../shared/onnx/session.ts'
import { layMemory, poisonMemory, type Snapshot, takeUp } from '../../shared/onnx/snapshot.ts'

const { resolve } = createRequire(import.meta.url)
/** onnxruntime-web's own module and the script that goes with it. */
export const STOCK_WASM = resolve('onnxruntime-web/ort-wasm-simd-threaded.wasm')
export const GLUE = resolve('onnxruntime-web/ort-wasm-simd-threaded.mjs')

export const readStock = (): Uint8Array<ArrayBuffer> => Uint8Array.from(readFileSync(STOCK_WASM))

type Watch = Record<string, (...values: number[]) => unknown>

export type Opened = { runtime: Runtime; exports: WasmExports; state: SessionState; done: string[] }

/** A runtime started as it comes, with a session on the graph; `done` names the exports that its start called. */
export async function openStock(module: WebAssembly.Module, graph: Uint8Array, shape: Shape): Promise<Opened> {
  const { default: glue } = await import('onnxruntime-web/ort-wasm-simd-threaded.mjs')
  const done = new Set<string>()
  let starting = true
  let depth = 0
  let exports: WasmExports = {}
  const runtime = await startRuntime(glue, async (imports) => {
    exports = new WebAssembly.Instance(module, imports).exports as WasmExports
    const watched = ([name, value]: [string, unknown]): [string, unknown] => {
      if (typeof value !== 'function') return [name, value]
      // What a constructor makes the glue call in turn is a part of it.
      const call = (...values: unknown[]): unknown => {
        if (!starting) return value(...values)
        if (depth === 0) done.add(name)
        depth++
        try {
          return value(...values)
        } finally {
          depth--
        }
      }
      return [name, call]
    }
    return Object.fromEntries(Object.entries(exports).map(watched))
  })
  starting = false
  return { runtime, exports, state: openSession(runtime, graph, shape), done: [...done] }
}

/** A runtime that goes on from the snapshot. @param watch what a watched module is to call */
export async function startFrom(module: WebAssembly.Module, snapshot: Snapshot, watch?: Watch): Promise<Runtime> {
  const { default: glue } = await import('onnxruntime-web/ort-wasm-simd-threaded.mjs')
  return startRuntime(glue, async (imports, memory) => {
    layMemory(snapshot, memory)
    poisonMemory(snapshot, memory)
    const all = watch === undefined ? imports : { ...imports, env: watch }
    const exports = new WebAssembly.Instance(module, all).exports as WasmExports
    if (watch?.called !== undefined) tellOfGets(exports, watch.called)
    return takeUp(snapshot, exports)
  })
}

type Table = { get(index: number): unknown }
/** The types of a Worker, which this is checked with as well, do not have it. */
const { Table } = WebAssembly as unknown as { Table: new () => Table }

/** The script calls by the table as well. */
function tellOfGets(exports: WasmExports, called: Watch[string]): void {
  for (const table of Object.values(exports)) {
    if (!(table instanceof Table)) continue
    const get = table.get.bind(table)
    table.get = (index) => {
      called(index)
      return get(index)
    }
  }
}
