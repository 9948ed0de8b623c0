import runtime from 'onnxruntime-web/ort-wasm-simd-threaded.wasm'
import { InferenceSession, env as ortEnv, Tensor } from 'onnxruntime-web/wasm'
import { FEATURE_COUNT } from '../../shared/ranking/features.ts'
import type { Weights } from '../../shared/ranking/reference-scorer.ts'
import graph from './ranker.onnx'

export type OnnxSession = { run(weights: Weights, features: Float32Array, count: number): Promise<Float32Array> }

/**
 * Starts ONNX Runtime in workerd. The platform compiles WebAssembly only at deploy, while the runtime's glue wants to
 * compile bytes: it is given a marker instead of bytes, and for as long as the session is being made, instantiating that
 * marker answers with the module compiled at deploy.
 */
export async function startOnnx(): Promise<OnnxSession> {
  const marker = new ArrayBuffer(8)
  ortEnv.wasm.numThreads = 1
  ortEnv.wasm.wasmBinary = marker
  const session = await withPrecompiled(marker, () => InferenceSession.create(new Uint8Array(graph)))
  const tensors = new WeakMap<Weights, Record<string, Tensor>>()
  return {
    async run(weights, features, count) {
      let inputs = tensors.get(weights)
      if (inputs === undefined) {
        inputs = weightTensors(weights)
        tensors.set(weights, inputs)
      }
      const { y } = await session.run({ ...inputs, x: new Tensor('float32', features, [count, FEATURE_COUNT]) })
      return Float32Array.from(y.data as Float32Array)
    },
  }
}

const weightTensors = ({ features, hidden, w0, b0, w1, b1, skip }: Weights): Record<string, Tensor> => ({
  w0: new Tensor('float32', w0, [features, hidden]),
  b0: new Tensor('float32', b0, [hidden]),
  w1: new Tensor('float32', w1, [hidden, 1]),
  b1: new Tensor('float32', b1, [1]),
  skip: new Tensor('float32', skip, [features, 1]),
})

type Instantiate = (source: unknown, imports?: WebAssembly.Imports) => Promise<unknown>

async function withPrecompiled<T>(marker: ArrayBuffer, create: () => Promise<T>): Promise<T> {
  const platform = WebAssembly as unknown as { instantiate: Instantiate }
  const original = platform.instantiate
  platform.instantiate = async (source, imports) => {
    if (source !== marker && !(ArrayBuffer.isView(source) && source.buffer === marker)) return original(source, imports)
    return { module: runtime, instance: new WebAssembly.Instance(runtime, imports) }
  }
  try {
    return await create()
  } finally {
    platform.instantiate = original
  }
}
