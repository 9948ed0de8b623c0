import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import stockRuntime from 'onnxruntime-web/ort-wasm-simd-threaded.wasm'
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { OnnxGlue, WasmMemory } from '../../shared/onnx/runtime.ts'
import { decodeSnapshot, encodeSnapshot, type Snapshot } from '../../shared/onnx/snapshot.ts'
import { randomStream } from '../../shared/random.ts'
import { FEATURE_COUNT } from '../../shared/ranking/features.ts'
import { referenceScores, type Weights } from '../../shared/ranking/reference-scorer.ts'
import type { RecommendationAnswer } from '../../shared/schemas/recommendations.ts'
import { type Artefacts, deployed } from '../../workers/scoring/artefacts.ts'
import { startOnnx } from '../../workers/scoring/onnx-session.ts'
import { coldScorer, counters, score, warmUp } from '../../workers/scoring/scorer.ts'
import { type Changes, click, cold, newVisitor, publish, recommendations } from './fixtures/edge.ts'
import { buildTinyRelease, type TinyRelease, weights as tinyWeights } from './fixtures/tiny-release.ts'

const random = randomStream(11)
const some = (length: number): Float32Array<ArrayBuffer> => Float32Array.from({ length }, () => random() * 2 - 1)
const randomWeights = (): Weights => ({
  ...tinyWeights(),
  w0: some(FEATURE_COUNT * 32),
  b0: some(32),
  w1: some(32),
  b1: some(1),
  skip: some(FEATURE_COUNT),
})

function reference(weights: Weights, features: Float32Array, count: number): Float32Array {
  const scores = new Float32Array(count)
  referenceScores(weights, features, count, scores)
  return scores
}

async function warm(changes: Partial<Env> = {}, artefacts: Artefacts = deployed): Promise<void> {
  const ctx = createExecutionContext()
  warmUp({ ...env, ...changes }, ctx, artefacts)
  await waitOnExecutionContext(ctx)
}

let warned: string[] = []

beforeEach(() => {
  coldScorer()
  warned = []
  vi.spyOn(console, 'warn').mockImplementation((line: string) => void warned.push(line))
})
afterEach(() => vi.restoreAllMocks())

describe('ONNX in workerd', () => {
  it.each([1, 7, 150, 200])('agrees with the reference scorer for %i candidates', async (count) => {
    const session = await startOnnx(deployed)
    for (let round = 0; round < 3; round++) {
      const weights = randomWeights()
      const features = some(count * FEATURE_COUNT)
      const scores = await session.run(weights, features, count)
      const expected = reference(weights, features, count)
      expect(scores).toHaveLength(count)
      expect(Math.max(...scores.map((value, i) => Math.abs(value - expected[i])))).toBeLessThan(1e-5)
    }
  })

  it('leaves WebAssembly.instantiate as it was', async () => {
    const before = WebAssembly.instantiate
    await startOnnx(deployed)
    expect(WebAssembly.instantiate).toBe(before)
  })
})

describe('the scorer', () => {
  it('takes the reference until the session is up, then ONNX', async () => {
    const weights = tinyWeights()
    const features = some(5 * FEATURE_COUNT)
    expect((await score(weights, features, 5)).by).toBe('reference')
    await warm()
    expect((await score(weights, features, 5)).by).toBe('onnx')
    expect((await score(weights, new Float32Array(0), 0)).scores).toHaveLength(0)
  })

  it('never starts ONNX where the plan does not allow it', async () => {
    await warm({ SCORER: 'reference' })
    expect((await score(tinyWeights(), some(FEATURE_COUNT), 1)).by).toBe('reference')
  })

  it('answers concurrent asks rightly', async () => {
    await warm()
    const asks = Array.from({ length: 20 }, (_, i) => ({
      weights: tinyWeights(i + 1),
      features: some((i + 1) * FEATURE_COUNT),
      count: i + 1,
    }))
    const answers = await Promise.all(asks.map(({ weights, features, count }) => score(weights, features, count)))
    answers.forEach(({ scores }, i) => {
      const expected = reference(asks[i].weights, asks[i].features, asks[i].count)
      scores.forEach((value, row) => {
        expect(value).toBeCloseTo(expected[row], 4)
      })
    })
    expect(counters.onnxFailures).toBe(0)
  })

  it('drops a session that fails, counts it, and answers all the same', async () => {
    const weights = tinyWeights()
    await warm()
    // Weights of another shape than the graph's make the run fail as a trap would.
    const wrong: Weights = { ...weights, hidden: 16, w0: some(FEATURE_COUNT * 16), b0: some(16), w1: some(16) }
    const features = some(3 * FEATURE_COUNT)
    const { scores, by } = await score(wrong, features, 3)
    expect(by).toBe('reference')
    expect(scores).toEqual(reference(wrong, features, 3))
    expect(counters.onnxFailures).toBe(1)
    expect((await score(weights, features, 3)).by).toBe('reference')
    await warm()
    expect((await score(weights, features, 3)).by).toBe('reference')
    vi.setSystemTime(Date.now() + 61_000)
    await warm()
    vi.useRealTimers()
    expect((await score(weights, features, 3)).by).toBe('onnx')
  })

  it('drops a session that gives what is no number', async () => {
    await warm()
    const broken = { ...tinyWeights(), b1: Float32Array.of(Number.NaN) }
    expect((await score(broken, some(FEATURE_COUNT), 1)).by).toBe('reference')
    expect(counters.onnxFailures).toBe(1)
  })

  it('holds the first three rows of a release’s first run to the reference scorer', async () => {
    await warm()
    const right = tinyWeights()
    const features = new Float32Array(5 * FEATURE_COUNT)
    features[2 * FEATURE_COUNT] = 1
    // What the session is given is not what the reference scorer then sees; only the third row shows it.
    let asked = 0
    const torn: Weights = Object.defineProperty({ ...right }, 'skip', {
      get: () => (asked++ < 2 ? right.skip.map((value) => value + 1) : right.skip),
    })
    expect(score(torn, features, 5)).toEqual({ scores: reference(right, features, 5), by: 'reference' })
    expect(counters.onnxFailures).toBe(1)
  })
})

type Watched = { artefacts: Artefacts; memory(): WasmMemory }

/** The deployed artefacts, and the memory of the runtime that was last started from them. */
function watched(changes: Partial<Artefacts> = {}): Watched {
  let memory: WasmMemory | undefined
  const glue: OnnxGlue = ({ instantiateWasm, ...rest }) =>
    deployed.glue({
      ...rest,
      instantiateWasm(imports, done) {
        memory = Object.values(imports.a).find((value) => value instanceof WebAssembly.Memory)
        instantiateWasm(imports, done)
      },
    })
  return {
    artefacts: { ...deployed, glue, ...changes },
    memory() {
      if (memory === undefined) throw new Error('nothing was started')
      return memory
    },
  }
}

const snapshot = (): Snapshot => decodeSnapshot(deployed.snapshot.slice())

/** What the stock runtime is started with. */
const bare = (): ArrayBuffer =>
  encodeSnapshot({ ...snapshot(), pages: 0, kept: new Uint32Array(0), bytes: new Uint8Array(0), pruned: new Uint32Array(0) }).buffer

/** The next ask is answered by ONNX again, from a memory of its own, but not before a minute has gone. */
async function recovers(watching: Watched): Promise<void> {
  const broken = watching.memory()
  await warm({}, watching.artefacts)
  expect(score(tinyWeights(), some(FEATURE_COUNT), 1).by).toBe('reference')
  expect(watching.memory()).toBe(broken)
  vi.setSystemTime(Date.now() + 61_000)
  await warm({}, watching.artefacts)
  vi.useRealTimers()
  expect(score(tinyWeights(), some(FEATURE_COUNT), 1).by).toBe('onnx')
  expect(watching.memory()).not.toBe(broken)
  expect(counters).toEqual({ onnxStarts: 2, onnxFailures: 1 })
}

describe('a runtime that went on from the snapshot', () => {
  it('gives the stock runtime’s scores, bit for bit', async () => {
    const [slim, stock] = [await startOnnx(deployed), await startOnnx({ ...deployed, runtime: stockRuntime, snapshot: bare() })]
    for (const count of [1, 2, 3, 5, 8, 13, 64, 199, 400, 700]) {
      const [weights, features] = [randomWeights(), some(count * FEATURE_COUNT)]
      expect(slim.run(weights, features, count)).toEqual(stock.run(weights, features, count))
    }
  })

  it.each<[string, () => Partial<Artefacts>, string]>([
    ['another script', () => ({ key: 'another' }), 'another script'],
    ['another graph', () => ({ graph: Uint8Array.from(new Uint8Array(deployed.graph), (byte) => byte ^ 1).buffer }), 'another graph'],
    ['another runtime', () => ({ runtime: stockRuntime }), 'another runtime'],
    [
      'other scores',
      () => ({ snapshot: encodeSnapshot({ ...snapshot(), known: snapshot().known.map((value) => value + 1e-6) }).buffer }),
      'other scores',
    ],
    ['a torn snapshot', () => ({ snapshot: deployed.snapshot.slice(0, 5000) }), 'bad-section'],
  ])('is refused with %s', async (_, changes, reason) => {
    await expect(startOnnx({ ...deployed, ...changes() })).rejects.toThrow(reason)
    await warm({}, { ...deployed, ...changes() })
    expect(score(tinyWeights(), some(FEATURE_COUNT), 1).by).toBe('reference')
    expect(counters).toEqual({ onnxStarts: 1, onnxFailures: 1 })
  })

  it('that traps is dropped, the same ask is answered, and a new memory is taken a minute later', async () => {
    const watching = watched()
    await warm({}, watching.artefacts)
    // All that its heap and its tables of methods point to is beyond its end now.
    new Uint8Array(watching.memory().buffer).fill(0xff, snapshot().kept[0])
    const [weights, features] = [tinyWeights(), some(5 * FEATURE_COUNT)]
    expect(score(weights, features, 5)).toEqual({ scores: reference(weights, features, 5), by: 'reference' })
    expect(warned).toEqual([expect.stringMatching(/onnx-dropped.*(out of bounds|unreachable|null function|signature)/)])
    await recovers(watching)
  })

  it('would throw the trap at the visitor without the scorer', async () => {
    const watching = watched()
    const session = await startOnnx(watching.artefacts)
    new Uint8Array(watching.memory().buffer).fill(0xff, snapshot().kept[0])
    expect(() => session.run(tinyWeights(), some(FEATURE_COUNT), 1)).toThrow(WebAssembly.RuntimeError)
  })

  it.each([60_000, 30_000])('that finds no memory for %i rows is dropped, and the same ask is answered', async (rows) => {
    const watching = watched()
    await warm({}, watching.artefacts)
    watching.memory().grow = () => {
      throw new RangeError('no more memory')
    }
    const [weights, features] = [tinyWeights(), new Float32Array(rows * FEATURE_COUNT)]
    const { scores, by } = score(weights, features, rows)
    expect(by).toBe('reference')
    expect(scores).toHaveLength(rows)
    await recovers(watching)
  })

  it('that errs in silence is found out', async () => {
    const watching = watched()
    await warm({}, watching.artefacts)
    const [weights, features] = [randomWeights(), some(4 * FEATURE_COUNT)]
    expect(score(weights, features, 4).by).toBe('onnx')
    const { at, length } = snapshot().session.weights.find(({ name }) => name === 'skip') ?? { at: 0, length: 0 }
    new Float32Array(watching.memory().buffer, at, length).fill(3)
    expect(score(weights, features, 4)).toEqual({ scores: reference(weights, features, 4), by: 'reference' })
    await recovers(watching)
  })
})

describe('a cold isolate', () => {
  let release: TinyRelease
  beforeAll(async () => {
    release = await buildTinyRelease()
  })

  /** What a cold isolate answers, and what it answers when all that goes on behind that answer is done. */
  async function firstAndSecond(changes: Changes = {}): Promise<[RecommendationAnswer, RecommendationAnswer]> {
    await publish(release)
    const visitor = await newVisitor()
    const body = { visitor, token: await click(visitor, release.itemIds[31], release.itemIds[2], release.itemIds[55]), limit: 50 }
    cold()
    return [await recommendations(body, { changes }), await recommendations(body, { changes })]
  }

  it('answers from the reference scorer where ONNX is not up yet, in the order that ONNX then gives', async () => {
    const [first, second] = await firstAndSecond()
    expect(['reference', 'onnx']).toContain(first.rung)
    expect(second.rung).toBe('onnx')
    expect(second.items).toEqual(first.items)
    expect(first.items.length).toBe(50)
  })

  it('has ONNX up for its first answer where packs take longer to come than ONNX does to start', async () => {
    const RELEASES = new Proxy(env.RELEASES, {
      get: (of, name) =>
        name !== 'get'
          ? Reflect.get(of, name)
          : async (...asked: unknown[]) => {
              await scheduler.wait(String(asked[0]).startsWith('pack/') ? 500 : 0)
              return Reflect.apply(of.get, of, asked)
            },
    })
    const [first, second] = await firstAndSecond({ RELEASES, ANSWER_WITHIN_MS: '60000' })
    expect([first.rung, second.rung]).toEqual(['onnx', 'onnx'])
    expect(counters).toEqual({ onnxStarts: 1, onnxFailures: 0 })
  })

  it('stays with the reference scorer where SCORER says so', async () => {
    await publish(release)
    const visitor = await newVisitor()
    const token = await click(visitor, release.itemIds[31])
    for (let i = 0; i < 2; i++)
      expect((await recommendations({ visitor, token }, { changes: { SCORER: 'reference' } })).rung).toBe('reference')
  })
})
