import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { InferenceSession, env as ortEnv, Tensor } from 'onnxruntime-web/wasm'
import { beforeAll, describe, expect, it } from 'vitest'
import { deployedGraph, GRAPH_HASH_FILE, graphHashSource } from '../../batch/ranker/graph.ts'
import { GRAPH_FILE } from '../../batch/ranker/graph-file.ts'
import { HIDDEN } from '../../batch/ranker/parameters.ts'
import { randomStream } from '../../shared/random.ts'
import { FEATURE_COUNT } from '../../shared/ranking/features.ts'
import { GRAPH_HASH } from '../../shared/ranking/graph-hash.ts'
import { referenceScores, type Weights } from '../../shared/ranking/reference-scorer.ts'
import { contentHash } from '../../shared/release/hash.ts'

describe('the ranker’s graph', () => {
  it('is the one that was committed, under the hash that releases name ("npm run graph" writes both)', async () => {
    const graph = deployedGraph()
    expect(Buffer.from(graph).equals(readFileSync(GRAPH_FILE))).toBe(true)
    expect(await contentHash(graph)).toBe(GRAPH_HASH)
    expect(readFileSync(GRAPH_HASH_FILE, 'utf8')).toBe(await graphHashSource(graph))
  })

  describe('computes what the reference scorer computes', () => {
    let session: InferenceSession
    beforeAll(async () => {
      ortEnv.wasm.numThreads = 1
      ortEnv.wasm.wasmBinary = readFileSync(createRequire(import.meta.url).resolve('onnxruntime-web/ort-wasm-simd-threaded.wasm'))
      session = await InferenceSession.create(deployedGraph())
    })

    it.each([1, 7, 150, 200])('for %i candidates', async (count) => {
      const random = randomStream(count)
      const some = (length: number): Float32Array<ArrayBuffer> => Float32Array.from({ length }, () => random() * 2 - 1)
      for (let round = 0; round < 5; round++) {
        const weights: Weights = {
          features: FEATURE_COUNT,
          hidden: HIDDEN,
          w0: some(FEATURE_COUNT * HIDDEN),
          b0: some(HIDDEN),
          w1: some(HIDDEN),
          b1: some(1),
          skip: some(FEATURE_COUNT),
        }
        const x = some(count * FEATURE_COUNT)
        const { y } = await session.run({
          x: new Tensor('float32', x, [count, FEATURE_COUNT]),
          w0: new Tensor('float32', weights.w0, [FEATURE_COUNT, HIDDEN]),
          b0: new Tensor('float32', weights.b0, [HIDDEN, 1]),
          w1: new Tensor('float32', weights.w1, [HIDDEN, 1]),
          b1: new Tensor('float32', weights.b1, [1]),
          skip: new Tensor('float32', weights.skip, [FEATURE_COUNT, 1]),
        })
        const expected = new Float32Array(count)
        referenceScores(weights, x, count, expected)
        const scores = Array.from(y.data as Float32Array)
        expect(scores).toHaveLength(count)
        const worst = Math.max(...scores.map((score, i) => Math.abs(score - expected[i])))
        expect(worst).toBeLessThan(1e-5)
      }
    })
  })
})
