import { NOWHERE } from './candidates.ts'
import { type FeatureContext, LEAST } from './features.ts'
import { PURCHASED } from './release-view.ts'

const DAY = 86_400
/** An item vector's length. */
const LENGTH = 127
const LOG_LEAST = Math.log(LEAST)
/** Most requests have no more candidates than this. */
const PLACES = 512
const rankOf = Float32Array.from({ length: PLACES }, (_, i) => Math.min(6, Math.log1p(i)))

/** Most weights of most candidates are 0, and a logarithm is what costs most here. */
const logWeight = (weight: number): number => (weight === 0 ? LOG_LEAST : Math.min(4, Math.max(LOG_LEAST, Math.log(weight + LEAST))))
const share = (value: number): number => Math.min(1, Math.max(0, value))
const cosine = (dot: number): number => Math.min(1, Math.max(-1, dot))

/**
 * Fills `out` with candidates.count × FEATURE_COUNT numbers, row by row; every number is finite and in its range. What
 * features.ts defines one by one, computed in one pass over the candidates, to the same bits: a test holds the two together.
 */
export function assembleFeatures(context: FeatureContext, out: Float32Array): void {
  const { core, candidates, history, topSimilar, topTogether, meanLogPrice, historyTerm, sessionTerm, gapTerm } = context
  const { count, item: items, similar, past, lastSimilar, together, lastTogether, next, lastNext, own, merged } = candidates
  const { support, cohortList, regionList, globalList, historyPosition } = candidates
  const { dimensions, vectors, price: prices, popularity, trend, age, repeat, category } = core
  const newest = history.length > 0 ? history[0].item : -1
  const newestCategory = newest < 0 ? 0 : category[newest]
  const topMerged = merged[0]
  const { visitor, last, centroid } = directions(context, newest)
  for (let i = 0, at = 0; i < count; i++) {
    const item = items[i]
    const place = historyPosition[i]
    const inHistory = place !== NOWHERE
    const price = prices[item]
    out[at++] = logWeight(similar[i])
    out[at++] = topSimilar > 0 ? share(similar[i] / topSimilar) : 0
    out[at++] = logWeight(past[i])
    out[at++] = logWeight(lastSimilar[i])
    out[at++] = logWeight(together[i])
    out[at++] = topTogether > 0 ? share(together[i] / topTogether) : 0
    out[at++] = logWeight(lastTogether[i])
    out[at++] = logWeight(next[i])
    out[at++] = logWeight(lastNext[i])
    out[at++] = logWeight(own[i])
    out[at++] = topMerged > 0 ? share(merged[i] / topMerged) : 0
    out[at++] = i < PLACES ? rankOf[i] : Math.min(6, Math.log1p(i))
    out[at++] = 1 / (1 + i)
    out[at++] = support[i] === 0 ? 0 : Math.min(3, Math.log(1 + support[i]))
    out[at++] = share(cohortList[i])
    out[at++] = share(regionList[i])
    out[at++] = cosine(regionList[i] - globalList[i])
    out[at++] = inHistory ? 1 : 0
    out[at++] = place === 0 ? 1 : 0
    out[at++] = inHistory ? Math.exp(-place / 4) : 0
    out[at++] = inHistory ? repeat[item] / 255 : 0
    out[at++] = inHistory ? Math.min(6, Math.max(0, Math.log1p((history[place]?.age ?? 0) / DAY))) : 0
    out[at++] = inHistory && history[place]?.deed === PURCHASED ? 1 : 0
    out[at++] = popularity[item] / 255
    out[at++] = (trend[item] - 128) / 128
    out[at++] = Math.min(1, Math.log1p(age[item]) / 7)
    let dotVisitor = 0
    let dotLast = 0
    let dotCohort = 0
    for (let d = 0, v = item * dimensions; d < dimensions; d++, v++) {
      const value = vectors[v]
      dotVisitor += value * visitor[d]
      dotLast += value * last[d]
      dotCohort += value * centroid[d]
    }
    out[at++] = cosine(dotVisitor / LENGTH)
    out[at++] = cosine(dotLast / (LENGTH * LENGTH))
    out[at++] = cosine(dotCohort / LENGTH)
    out[at++] = newestCategory !== 0 && category[item] === newestCategory ? 1 : 0
    out[at++] = price > 0 && !Number.isNaN(meanLogPrice) ? Math.min(2, Math.max(-2, Math.log(price) - meanLogPrice)) : 0
    out[at++] = Math.min(4, historyTerm)
    out[at++] = Math.min(4, sessionTerm)
    out[at++] = Math.min(10, Math.max(0, gapTerm))
    out[at++] = inHistory ? Math.min(4, historyTerm) : 0
  }
}

/** What candidates are compared with, as vectors of one type; nought where there is nothing, which makes the product nought. */
function directions({ core, visitor, cohort }: FeatureContext, newest: number) {
  const { dimensions, vectors, centroids } = core
  const cut = (from: Float32Array | Int8Array, row: number): Float64Array =>
    row < 0 ? new Float64Array(dimensions) : Float64Array.from(from.subarray(row * dimensions, (row + 1) * dimensions))
  return {
    visitor: cut(visitor ?? centroids, visitor === undefined ? -1 : 0),
    last: cut(vectors, newest),
    centroid: cut(centroids, cohort),
  }
}
