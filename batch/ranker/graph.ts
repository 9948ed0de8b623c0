import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import onnxProto from 'onnx-proto'
import { FEATURE_COUNT } from '../../shared/ranking/features.ts'
import { contentHash } from '../../shared/release/hash.ts'
import { GRAPH_FILE } from './graph-file.ts'
import { HIDDEN } from './parameters.ts'

const { onnx } = onnxProto
/** Of a tensor's numbers, and of an attribute. */
const FLOAT = 1
const INT = 2

const ROOT = join(import.meta.dirname, '../..')
export const GRAPH_HASH_FILE = join(ROOT, 'shared/ranking/graph-hash.ts')

/**
 * The ranker as an ONNX graph whose weights are inputs: one deployed graph (and one session) serves every night's
 * weights. x [n, F], w0 [F, H], b0 [H, 1], w1 [H, 1], b1 [1], skip [F, 1] → y [1, n]. Each product has the candidates side by side:
 * the runtime computes sixteen columns at once, and a result of one column would take it as long as one of sixteen.
 */
export function rankerGraph(features: number, hidden: number): Uint8Array<ArrayBuffer> {
  const tensor = (name: string, dims: (number | string)[]) => ({
    name,
    type: {
      tensorType: { elemType: FLOAT, shape: { dim: dims.map((dim) => (typeof dim === 'string' ? { dimParam: dim } : { dimValue: dim })) } },
    },
  })
  const transposed = (name: 'transA' | 'transB') => ({ name, type: INT, i: 1 })
  const model = onnx.ModelProto.create({
    irVersion: 8,
    opsetImport: [{ domain: '', version: 17 }],
    producerName: 'nightjar',
    graph: {
      name: 'ranker',
      input: [
        tensor('x', ['n', features]),
        tensor('w0', [features, hidden]),
        tensor('b0', [hidden, 1]),
        tensor('w1', [hidden, 1]),
        tensor('b1', [1]),
        tensor('skip', [features, 1]),
      ],
      output: [tensor('y', [1, 'n'])],
      node: [
        { opType: 'Gemm', input: ['w0', 'x', 'b0'], output: ['layer'], attribute: [transposed('transA'), transposed('transB')] },
        { opType: 'Relu', input: ['layer'], output: ['active'] },
        { opType: 'Gemm', input: ['skip', 'x', 'b1'], output: ['wide'], attribute: [transposed('transA'), transposed('transB')] },
        { opType: 'Gemm', input: ['w1', 'active', 'wide'], output: ['y'], attribute: [transposed('transA')] },
      ],
    },
  })
  return Uint8Array.from(onnx.ModelProto.encode(model).finish())
}

export const deployedGraph = (): Uint8Array<ArrayBuffer> => rankerGraph(FEATURE_COUNT, HIDDEN)

export async function graphHashSource(graph: Uint8Array<ArrayBuffer>): Promise<string> {
  return `/** Hash of workers/scoring/ranker.onnx, written by "npm run graph": a release made for another graph is refused. */
export const GRAPH_HASH = '${await contentHash(graph)}'
`
}

if (import.meta.main) {
  const graph = deployedGraph()
  writeFileSync(GRAPH_FILE, graph)
  writeFileSync(GRAPH_HASH_FILE, await graphHashSource(graph))
}
