import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import onnxProto from 'onnx-proto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildOnnx, type OnnxBuild, RANKER_SHAPE } from '../../batch/onnx/build.ts'
import { compare } from '../../batch/onnx/compare.ts'
import { lastComparison } from '../../batch/onnx/compared.ts'
import { openStock, readStock, startFrom } from '../../batch/onnx/runtimes.ts'
import { rankerGraph } from '../../batch/ranker/graph.ts'
import { GRAPH_FILE } from '../../batch/ranker/graph-file.ts'
import { HIDDEN } from '../../batch/ranker/parameters.ts'
import { knownCase } from '../../shared/onnx/known-case.ts'
import { resumeSession } from '../../shared/onnx/session.ts'
import { decodeSnapshot, type Snapshot } from '../../shared/onnx/snapshot.ts'
import { FEATURE_COUNT } from '../../shared/ranking/features.ts'

const { onnx } = onnxProto
const folder = mkdtempSync(join(tmpdir(), 'nightjar-onnx-'))
let build: OnnxBuild
let slim: WebAssembly.Module
let pruned: Snapshot

beforeAll(async () => {
  build = await buildOnnx()
  const files = build.filesFor('pruned')
  slim = new WebAssembly.Module(files['runtime.wasm'])
  pruned = decodeSnapshot(files['snapshot.bin'].buffer)
}, 300_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const from = (snapshot: Snapshot) => async () => ({ runtime: await startFrom(slim, snapshot), state: snapshot.session })

describe('the slim runtime', () => {
  it('has the bytes that were compared, whatever machine makes it', () => {
    expect(build.artefacts).toBe(lastComparison().artefacts)
  })

  it('gives the stock runtime’s scores and errors', async () => {
    const stock = new WebAssembly.Module(readStock())
    const { 'ranker.onnx': graph } = build.filesFor('stock')
    const options = { shape: RANKER_SHAPE, runs: 3000, seed: 5, progress: () => undefined }
    const done = await compare(() => openStock(stock, graph, RANKER_SHAPE), from(pruned), options)
    expect(done).toMatchObject({ differences: 0, firstDifference: null })
    expect(done.errorRuns).toBeGreaterThan(5)
  })

  it('is seen to differ where it does', async () => {
    const wrong = { ...pruned, session: { ...pruned.session, weights: pruned.session.weights.filter(({ name }) => name !== 'b0') } }
    const done = await compare(from(pruned), from(wrong), { shape: RANKER_SHAPE, runs: 50, seed: 5, progress: () => undefined })
    expect(done.differences).toBeGreaterThan(0)
  })

  it('fails loudly where a page that it needs was left out', async () => {
    const page = pruned.session.session - (pruned.session.session % PAGE)
    const wrong = { ...pruned, pruned: Uint32Array.from([...pruned.pruned, page, PAGE]) }
    const { weights, features, count } = knownCase(RANKER_SHAPE)
    const run = async (snapshot: Snapshot): Promise<Float32Array> =>
      resumeSession(await startFrom(slim, snapshot), snapshot.session, RANKER_SHAPE).run(weights, features, count)
    expect(await run(pruned)).toEqual(pruned.known)
    await expect(run(wrong)).rejects.toThrow(WebAssembly.RuntimeError)
  })
})

describe('a graph of one’s own', () => {
  const modelOf = (name: string, change: (graph: InstanceType<typeof onnx.ModelProto>) => void): string => {
    const graph = onnx.ModelProto.decode(readFileSync(GRAPH_FILE))
    change(graph)
    const file = join(folder, name)
    writeFileSync(file, onnx.ModelProto.encode(graph).finish())
    return file
  }

  it('with other operators is run anew, and keeps all of the memory where runs need more than they were seen to touch', async () => {
    const model = modelOf('smooth.onnx', ({ graph }) => {
      if (!graph) return
      // One candidate below the other, as one would write it down.
      graph.node = [
        { opType: 'Gemm', input: ['x', 'w0', 'b0'], output: ['layer'] },
        { opType: 'Softplus', input: ['layer'], output: ['active'] },
        { opType: 'Gemm', input: ['active', 'w1', 'b1'], output: ['deep'] },
        { opType: 'MatMul', input: ['x', 'skip'], output: ['wide'] },
        { opType: 'Add', input: ['deep', 'wide'], output: ['y'] },
      ]
      const b0 = graph.input?.find(({ name }) => name === 'b0')?.type?.tensorType?.shape
      const y = graph.output?.[0].type?.tensorType?.shape
      if (b0) b0.dim = [{ dimValue: HIDDEN }]
      if (y) y.dim = [{ dimParam: 'n' }, { dimValue: 1 }]
    })
    const own = await buildOnnx(model)
    expect(own).toMatchObject({ start: 'whole', artefacts: null })
    expect(own.line).toMatch(/smooth\.onnx: a slim runtime, .* all its memory \(with less of it, it differs in exercise \d+: /)
    const files = own.filesFor('whole')
    const snapshot = decodeSnapshot(files['snapshot.bin'].buffer)
    expect(snapshot).toMatchObject({ likeReference: false })
    expect(snapshot.key).not.toBe(pruned.key)
    const module = new WebAssembly.Module(files['runtime.wasm'])
    const slimStart = async () => ({ runtime: await startFrom(module, snapshot), state: snapshot.session })
    const stock = new WebAssembly.Module(readStock())
    const options = { shape: RANKER_SHAPE, runs: 500, seed: 5, progress: () => undefined }
    const done = await compare(() => openStock(stock, files['ranker.onnx'], RANKER_SHAPE), slimStart, options)
    expect(done).toMatchObject({ differences: 0, firstDifference: null })
    expect(decodeSnapshot(own.filesFor('stock')['snapshot.bin'].buffer)).toMatchObject({ likeReference: false, pages: 0 })
  }, 300_000)

  it('is refused in one line where it does not take what the ranker gives', async () => {
    const wide = join(folder, 'wide.onnx')
    writeFileSync(wide, rankerGraph(FEATURE_COUNT + 1, 32))
    await expect(buildOnnx(wide)).rejects.toThrow(
      `${wide} cannot rank: the graph must take x as float [n, ${FEATURE_COUNT}]; it takes x float [n, ${FEATURE_COUNT + 1}]`,
    )
    const two = modelOf('two.onnx', ({ graph }) => {
      graph?.output?.push({ ...graph.output[0], name: 'wide' })
    })
    await expect(buildOnnx(two)).rejects.toThrow(
      'the graph must give one float [n, 1] or [1, n]; it gives y float [1, n], wide float [1, n]',
    )
    writeFileSync(join(folder, 'none.onnx'), 'no graph')
    await expect(buildOnnx(join(folder, 'none.onnx'))).rejects.toThrow('none.onnx cannot rank: the graph cannot be loaded')
    await expect(buildOnnx(join(folder, 'nowhere.onnx'))).rejects.toThrow('there is no model')
  })
})

const PAGE = 4096
