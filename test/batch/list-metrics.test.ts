import { describe, expect, it } from 'vitest'
import { bootstrap, difference } from '../../batch/evaluate/bootstrap.ts'
import { averagePrecisionAt, gini, intraListDistance, novelty, precisionAt } from '../../batch/evaluate/list-metrics.ts'
import { judge, METRIC_NAMES, slatesOf } from '../../batch/evaluate/measure.ts'
import type { Query } from '../../batch/evaluate/trial.ts'
import { normal, randomStream } from '../../shared/random.ts'
import { UNKNOWN_CONTEXT } from '../../shared/ranking/visit-context.ts'

describe('metrics of one slate', () => {
  const slate = [4, 2, 9, 7]
  const relevant = new Set([2, 7, 5])

  it('agree with figures worked out by hand', () => {
    expect(precisionAt(slate, relevant, 4)).toBe(2 / 4)
    expect(precisionAt(slate, relevant, 10)).toBe(2 / 10)
    expect(averagePrecisionAt(slate, relevant, 4)).toBeCloseTo((1 / 2 + 2 / 4) / 3)
    expect(averagePrecisionAt(slate, relevant, 2)).toBeCloseTo(1 / 2 / 2)
  })

  it('are 0 where nothing is relevant', () => {
    expect([precisionAt(slate, new Set(), 4), averagePrecisionAt(slate, new Set(), 4)]).toEqual([0, 0])
  })
})

describe('metrics of all slates', () => {
  it('Gini is 0 when all are shown alike, near 1 when one is', () => {
    expect(gini(Float64Array.from([3, 3, 3, 3]))).toBeCloseTo(0)
    expect(gini(Float64Array.from([0, 0, 0, 12]))).toBeCloseTo(3 / 4)
    expect(gini(Float64Array.from([1, 3]))).toBeCloseTo(1 / 4)
    expect(gini(new Float64Array(4))).toBe(0)
  })

  it('novelty is the mean of the shares’ self-information, in bits', () => {
    const share = Float64Array.from([1 / 2, 1 / 8, 0])
    expect(novelty([[0, 1], [0, 2], []], share)).toBeCloseTo((1 + 3 + 1) / 3)
    expect(novelty([], share)).toBe(0)
  })

  it('distance is over the pairs of a slate, then over slates of two and more', () => {
    // Items 0 and 1 point the same way, 2 across, 3 nowhere.
    const vectors = Int8Array.from([100, 0, 50, 0, 0, 70, 0, 0])
    expect(intraListDistance([[0, 1]], vectors, 2)).toBeCloseTo(0)
    expect(intraListDistance([[0, 1, 2]], vectors, 2)).toBeCloseTo(2 / 3)
    expect(intraListDistance([[0, 1], [0, 3], [2]], vectors, 2)).toBeCloseTo(1 / 2)
  })
})

describe('judging a system', () => {
  const query = (relevant: number[], masked: number[]): Query => ({
    history: [],
    inSession: 0,
    country: '',
    context: UNKNOWN_CONTEXT,
    relevant: new Set(relevant),
    masked: new Set(masked),
    cluster: 0,
  })

  it('takes masked items out of every slate and fills it from below', async () => {
    const order = Array.from({ length: 40 }, (_, i) => i)
    const asked: number[] = []
    const rank = (_: Query, k: number): number[] => {
      asked.push(k)
      return order.slice(0, k)
    }
    const queries = [query([21], [0, 5]), query([0], [0])]
    const slates = await slatesOf({ name: 'ordered', rank }, queries)
    expect(asked).toEqual([22, 21])
    expect(slates[0]).toEqual(order.slice(1, 22).filter((item) => item !== 5))
    expect(slates.map((slate) => slate.length)).toEqual([20, 20])
    const { values, wholes } = judge('ordered', queries, slates, {
      share: new Float64Array(40).fill(1 / 40),
      vectors: new Int8Array(0),
      dimensions: 0,
    })
    expect([...values['recall@20']]).toEqual([1, 0])
    expect([...values['mrr@20']]).toEqual([1 / 20, 0])
    expect(Object.keys(values)).toEqual([...METRIC_NAMES])
    expect(wholes.coverage).toBe(21 / 40)
  })

  it('counts an empty answer as misses', async () => {
    const queries = [query([1], [])]
    const slates = await slatesOf({ name: 'silent', rank: () => [] }, queries)
    const { values } = judge('silent', queries, slates, { share: new Float64Array(3), vectors: new Int8Array(0), dimensions: 0 })
    for (const metric of METRIC_NAMES) expect([...values[metric]]).toEqual([0])
  })
})

describe('the bootstrap', () => {
  const random = randomStream(2)
  const column = (length: number): Float64Array => Float64Array.from({ length }, () => normal(random))
  const each = Array.from({ length: 400 }, (_, i) => i)

  it('gives the interval that theory gives: 1.96 standard errors to each side', () => {
    const { intervals } = bootstrap([column(400)], each, 1)
    const [{ value, low, high }] = intervals
    expect(value - low).toBeCloseTo(1.96 / Math.sqrt(400), 1)
    expect(high - value).toBeCloseTo(1.96 / Math.sqrt(400), 1)
  })

  it('is wider where queries of a cluster say the same', () => {
    const own = column(40)
    const repeated = Float64Array.from(each, (i) => own[Math.floor(i / 10)])
    const width = (clusters: number[]): number => {
      const [{ low, high }] = bootstrap([repeated], clusters, 1).intervals
      return high - low
    }
    expect(width(each.map((i) => Math.floor(i / 10))) / width(each)).toBeGreaterThan(2.5)
  })

  it('pairs columns: a constant lead has an interval of no width', () => {
    const first = column(400)
    const second = first.map((value) => value - 0.25)
    const { means } = bootstrap([first, second], each, 1)
    const { value, low, high } = difference(first, second, means[0], means[1])
    for (const figure of [value, low, high]) expect(figure).toBeCloseTo(0.25, 10)
  })

  it('depends on nothing but its seed', () => {
    const values = column(50)
    const of = (seed: number): unknown => bootstrap([values], each.slice(0, 50), seed).intervals
    expect(of(3)).toEqual(of(3))
    expect(of(3)).not.toEqual(of(4))
  })
})
