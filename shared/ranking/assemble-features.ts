import { FEATURE_COUNT, type FeatureContext, features, LEAST } from './features.ts'
import { agedOf, itemFeatures, logPriceOf } from './item-features.ts'
import { NOWHERE } from './recall-space.ts'
import { PURCHASED } from './release-view.ts'

const DAY = 86_400
/** An item vector's length. */
const LENGTH = 127
const LOG_LEAST = Math.log(LEAST)
/** Most requests have no more candidates than this. */
const PLACES = 512
const rankOf = Float32Array.from({ length: PLACES }, (_, i) => Math.min(6, Math.log1p(i)))
const supportOf = Float32Array.from({ length: 256 }, (_, i) => Math.min(3, Math.log(1 + i)))
/** The three products with vectors stand side by side. */
const FIRST_DOT = features.findIndex(({ name }) => name === 'visitorDot')

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
  const { price: prices, popularity, trend, repeat, category } = core
  const newest = history.length > 0 ? history[0].item : -1
  const newestCategory = newest < 0 ? 0 : category[newest]
  const topMerged = merged[0]
  const priced = !Number.isNaN(meanLogPrice)
  const made = itemFeatures(core)
  addDots(context, newest, out)
  for (let i = 0, at = 0; i < count; i++) {
    const item = items[i]
    const place = historyPosition[i]
    const inHistory = place !== NOWHERE
    // Where only the newest item points to a candidate, its part is the whole.
    const logSimilar = logWeight(similar[i])
    const logTogether = logWeight(together[i])
    const logNext = logWeight(next[i])
    out[at++] = logSimilar
    out[at++] = topSimilar > 0 ? share(similar[i] / topSimilar) : 0
    out[at++] = logWeight(past[i])
    out[at++] = lastSimilar[i] === similar[i] ? logSimilar : logWeight(lastSimilar[i])
    out[at++] = logTogether
    out[at++] = topTogether > 0 ? share(together[i] / topTogether) : 0
    out[at++] = lastTogether[i] === together[i] ? logTogether : logWeight(lastTogether[i])
    out[at++] = logNext
    out[at++] = lastNext[i] === next[i] ? logNext : logWeight(lastNext[i])
    out[at++] = logWeight(own[i])
    out[at++] = topMerged > 0 ? share(merged[i] / topMerged) : 0
    out[at++] = i < PLACES ? rankOf[i] : Math.min(6, Math.log1p(i))
    out[at++] = 1 / (1 + i)
    out[at++] = supportOf[support[i]]
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
    out[at++] = agedOf(made, core, item)
    at += 3
    out[at++] = newestCategory !== 0 && category[item] === newestCategory ? 1 : 0
    out[at++] = priced && prices[item] > 0 ? Math.min(2, Math.max(-2, logPriceOf(made, core, item) - meanLogPrice)) : 0
    out[at++] = Math.min(4, historyTerm)
    out[at++] = Math.min(4, sessionTerm)
    out[at++] = Math.min(10, Math.max(0, gapTerm))
    out[at++] = inHistory ? Math.min(4, historyTerm) : 0
  }
}

/**
 * How nearly candidates point where the visitor, the newest item and the cohort do. A sum must be added up in order to be the
 * same to the bit, each step waiting for the one before; two candidates at a time have six sums that do not wait for each other.
 */
function addDots({ core, candidates, visitor, cohort }: FeatureContext, newest: number, out: Float32Array): void {
  const { dimensions, vectors, centroids } = core
  const { count, item: items } = candidates
  // As numbers of one type, so that one loop takes all kinds; nought where there is none, as is the product then.
  const towards = new Float64Array(3 * dimensions)
  if (visitor !== undefined) towards.set(visitor)
  if (newest >= 0) for (let d = 0; d < dimensions; d++) towards[dimensions + d] = vectors[newest * dimensions + d]
  if (cohort >= 0) for (let d = 0; d < dimensions; d++) towards[2 * dimensions + d] = centroids[cohort * dimensions + d]
  for (let i = 0; i < count; i += 2) {
    // The last of an odd number is computed twice.
    const j = Math.min(i + 1, count - 1)
    const rowI = items[i] * dimensions
    const rowJ = items[j] * dimensions
    let visitorI = 0
    let visitorJ = 0
    let lastI = 0
    let lastJ = 0
    let cohortI = 0
    let cohortJ = 0
    for (let d = 0; d < dimensions; d++) {
      const valueI = vectors[rowI + d]
      const valueJ = vectors[rowJ + d]
      const toVisitor = towards[d]
      const toLast = towards[dimensions + d]
      const toCentroid = towards[2 * dimensions + d]
      visitorI += valueI * toVisitor
      visitorJ += valueJ * toVisitor
      lastI += valueI * toLast
      lastJ += valueJ * toLast
      cohortI += valueI * toCentroid
      cohortJ += valueJ * toCentroid
    }
    const atI = i * FEATURE_COUNT + FIRST_DOT
    out[atI] = cosine(visitorI / LENGTH)
    out[atI + 1] = cosine(lastI / (LENGTH * LENGTH))
    out[atI + 2] = cosine(cohortI / LENGTH)
    const atJ = j * FEATURE_COUNT + FIRST_DOT
    out[atJ] = cosine(visitorJ / LENGTH)
    out[atJ + 1] = cosine(lastJ / (LENGTH * LENGTH))
    out[atJ + 2] = cosine(cohortJ / LENGTH)
  }
}
