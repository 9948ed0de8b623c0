import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { randomStream } from '../../shared/random.ts'
import { FEATURE_COUNT } from '../../shared/ranking/features.ts'
import { referenceScores, type Weights } from '../../shared/ranking/reference-scorer.ts'
import { startOnnx } from '../../workers/scoring/onnx-session.ts'
import { coldScorer, counters, score, warmUp } from '../../workers/scoring/scorer.ts'
import { askOnly, click, cold, GB, newVisitor, publish, recommendations } from './fixtures/edge.ts'
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

async function warm(weights: Weights, changes: Partial<Env> = {}): Promise<void> {
  const ctx = createExecutionContext()
  warmUp({ ...env, ...changes }, ctx, weights)
  await waitOnExecutionContext(ctx)
}

beforeEach(() => {
  coldScorer()
  vi.spyOn(console, 'warn').mockReturnValue(undefined)
})
afterEach(() => vi.restoreAllMocks())

describe('ONNX in workerd', () => {
  it.each([1, 7, 150, 200])('agrees with the reference scorer for %i candidates', async (count) => {
    const session = await startOnnx()
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
    await startOnnx()
    expect(WebAssembly.instantiate).toBe(before)
  })
})

describe('the scorer', () => {
  it('takes the reference until the session is up, then ONNX', async () => {
    const weights = tinyWeights()
    const features = some(5 * FEATURE_COUNT)
    expect((await score(weights, features, 5)).by).toBe('reference')
    await warm(weights)
    expect((await score(weights, features, 5)).by).toBe('onnx')
    expect((await score(weights, new Float32Array(0), 0)).scores).toHaveLength(0)
  })

  it('never starts ONNX where the plan does not allow it', async () => {
    await warm(tinyWeights(), { SCORER: 'reference' })
    expect((await score(tinyWeights(), some(FEATURE_COUNT), 1)).by).toBe('reference')
  })

  it('answers concurrent asks rightly', async () => {
    await warm(tinyWeights())
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
    await warm(weights)
    // Weights of another shape than the graph's make the run fail as a trap would.
    const wrong: Weights = { ...weights, hidden: 16, w0: some(FEATURE_COUNT * 16), b0: some(16), w1: some(16) }
    const features = some(3 * FEATURE_COUNT)
    const { scores, by } = await score(wrong, features, 3)
    expect(by).toBe('reference')
    expect(scores).toEqual(reference(wrong, features, 3))
    expect(counters.onnxFailures).toBe(1)
    expect((await score(weights, features, 3)).by).toBe('reference')
    await warm(weights)
    expect((await score(weights, features, 3)).by).toBe('reference')
    vi.setSystemTime(Date.now() + 61_000)
    await warm(weights)
    vi.useRealTimers()
    expect((await score(weights, features, 3)).by).toBe('onnx')
  })

  it('drops a session that gives what is no number', async () => {
    await warm(tinyWeights())
    const broken = { ...tinyWeights(), b1: Float32Array.of(Number.NaN) }
    expect((await score(broken, some(FEATURE_COUNT), 1)).by).toBe('reference')
    expect(counters.onnxFailures).toBe(1)
  })

  it('does not trust a session that fails its first check', async () => {
    await warm({ ...tinyWeights(), b1: Float32Array.of(Number.NaN) })
    expect((await score(tinyWeights(), some(FEATURE_COUNT), 1)).by).toBe('reference')
    expect(counters.onnxFailures).toBe(1)
  })
})

describe('a cold isolate', () => {
  let release: TinyRelease
  beforeAll(async () => {
    release = await buildTinyRelease()
  })

  it('answers first from the reference scorer, in the order that ONNX then gives', async () => {
    await publish(release)
    const visitor = await newVisitor()
    const token = await click(visitor, release.itemIds[31], release.itemIds[2], release.itemIds[55])
    cold()
    const body = { visitor, token, limit: 50 }
    const init = { method: 'POST', body: JSON.stringify({ writeKey: 'pk_demo', ...body }), cf: GB }
    const { response, done } = await askOnly('/v1/recommendations', init)
    const first = await response.json<Awaited<ReturnType<typeof recommendations>>>()
    expect(first.rung).toBe('reference')
    await done()
    const second = await recommendations(body)
    expect(second.rung).toBe('onnx')
    expect(second.items).toEqual(first.items)
    expect(first.items.length).toBe(50)
  })

  it('stays with the reference scorer where SCORER says so', async () => {
    await publish(release)
    const visitor = await newVisitor()
    const token = await click(visitor, release.itemIds[31])
    for (let i = 0; i < 2; i++)
      expect((await recommendations({ visitor, token }, { changes: { SCORER: 'reference' } })).rung).toBe('reference')
  })
})
