import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { InferenceSession, env as ortEnv, Tensor } from 'onnxruntime-web/wasm'
import type { Scorer } from '../../shared/ranking/rank.ts'
import type { Weights } from '../../shared/ranking/reference-scorer.ts'
import { GRAPH_FILE } from './graph-file.ts'

/** As a Scorer, but not at once. */
export type AsyncScorer = (...asked: Parameters<Scorer>) => Promise<Float32Array>

/** The deployed graph under the same runtime as at the edge, on one thread. */
export async function onnxScorer({ features, hidden, w0, b0, w1, b1, skip }: Weights): Promise<AsyncScorer> {
  ortEnv.wasm.numThreads = 1
  ortEnv.wasm.wasmBinary = readFileSync(createRequire(import.meta.url).resolve('onnxruntime-web/ort-wasm-simd-threaded.wasm'))
  const session = await InferenceSession.create(readFileSync(GRAPH_FILE))
  const constants = {
    w0: new Tensor('float32', w0, [features, hidden]),
    b0: new Tensor('float32', b0, [hidden, 1]),
    w1: new Tensor('float32', w1, [hidden, 1]),
    b1: new Tensor('float32', b1, [1]),
    skip: new Tensor('float32', skip, [features, 1]),
  }
  return async (x, count) => {
    const { y } = await session.run({ x: new Tensor('float32', x, [count, features]), ...constants })
    return y.data as Float32Array
  }
}
