import { FEATURE_COUNT, type FeatureContext, features, LEAST } from './features.ts'
import { AGED, CATEGORY, itemFeatures, POPULARITY, placeOfItem, REPEAT, TREND } from './item-features.ts'
import { NOWHERE } from './recall-space.ts'
import { PURCHASED } from './release-view.ts'

const DAY = 86_400
/** An item vector's length. */
const LENGTH = 127
/** Of the logarithm of no weight; without its sign, so that what the loops below take is a computed number and no object. */
const DEPTH = -Math.log(LEAST)
/** Most requests have no more candidates than this. */
const PLACES = 512
const rankOf = Float32Array.from({ length: PLACES }, (_, i) => Math.min(6, Math.log1p(i)))
const supportOf = Float32Array.from({ length: 256 }, (_, i) => Math.min(3, Math.log(1 + i)))

const firstOf = (name: string): number => features.findIndex((feature) => feature.name === name)
/** Features that are computed in one loop stand side by side, from these on. */
const FIRST_PLACE = firstOf('mergedShare')
const FIRST_ITEM = firstOf('inHistory')
const FIRST_DOT = firstOf('visitorDot')
const FIRST_LAST = firstOf('sameCategory')

/** Most weights of most candidates are 0, and a logarithm is what costs most here. */
function logWeight(weight: number): number {
  if (weight === 0) return -DEPTH
  const log = Math.log(weight + LEAST)
  return log < 4 ? log : 4
}
const share = (value: number): number => Math.min(1, Math.max(0, value))
const cosine = (dot: number): number => Math.min(1, Math.max(-1, dot))

/**
 * Fills `out` with candidates.count × FEATURE_COUNT numbers, row by row; every number is finite and in its range. What
 * features.ts defines one by one, computed in a few passes over the candidates, to the same bits: a test holds the two together.
 * A pass looks at few enough columns for the processor to have them all at hand.
 */
export function assembleFeatures(context: FeatureContext, out: Float32Array): void {
  addWeights(context, out)
  addPlaces(context, out)
  addItems(context, out)
  addDots(context, out)
}

function addWeights({ candidates, topSimilar, topTogether }: FeatureContext, out: Float32Array): void {
  const { count, similar, past, lastSimilar, together, lastTogether, next, lastNext, own } = candidates
  for (let i = 0; i < count; i++) {
    let at = i * FEATURE_COUNT
    // Where only the newest item points to a candidate, its part is the whole.
    const logSimilar = logWeight(similar[i])
    const logTogether = logWeight(together[i])
    const logNext = logWeight(next[i])
    out[at++] = logSimilar
    out[at++] = topSimilar > 0 ? similar[i] / topSimilar : 0
    out[at++] = logWeight(past[i])
    out[at++] = lastSimilar[i] === similar[i] ? logSimilar : logWeight(lastSimilar[i])
    out[at++] = logTogether
    out[at++] = topTogether > 0 ? together[i] / topTogether : 0
    out[at++] = lastTogether[i] === together[i] ? logTogether : logWeight(lastTogether[i])
    out[at++] = logNext
    out[at++] = lastNext[i] === next[i] ? logNext : logWeight(lastNext[i])
    out[at++] = logWeight(own[i])
  }
}

function addPlaces({ candidates }: FeatureContext, out: Float32Array): void {
  const { count, merged, support, cohortList, regionList, globalList } = candidates
  const topMerged = merged[0]
  for (let i = 0; i < count; i++) {
    let at = i * FEATURE_COUNT + FIRST_PLACE
    out[at++] = topMerged > 0 ? share(merged[i] / topMerged) : 0
    out[at++] = i < PLACES ? rankOf[i] : Math.min(6, Math.log1p(i))
    out[at++] = supportOf[support[i]]
    out[at++] = share(cohortList[i])
    out[at++] = share(regionList[i])
    out[at++] = cosine(regionList[i] - globalList[i])
  }
}

function addItems(context: FeatureContext, out: Float32Array): void {
  const { core, candidates, history, meanLogPrice, historyAge, historyTerm, sessionTerm, gapTerm } = context
  const { count, item: items, historyPosition } = candidates
  const newestCategory = history.length > 0 ? core.category[history[0].item] : 0
  const length = Math.min(4, historyTerm)
  const session = Math.min(4, sessionTerm)
  const gap = Math.min(10, Math.max(0, gapTerm))
  const made = itemFeatures(core)
  const { numbers, logPrice } = made
  for (let i = 0; i < count; i++) {
    const place = historyPosition[i]
    const from = placeOfItem(made, core, items[i])
    let at = i * FEATURE_COUNT + FIRST_ITEM
    if (place === NOWHERE) for (const end = at + 6; at < end; ) out[at++] = 0
    else {
      const past = history[place]
      out[at++] = 1
      out[at++] = place === 0 ? 1 : 0
      out[at++] = Math.exp(-place / 4)
      out[at++] = numbers[from + REPEAT]
      out[at++] = Math.min(6, Math.max(0, Math.log1p((past?.age ?? 0) / DAY)))
      out[at++] = past?.deed === PURCHASED ? 1 : 0
    }
    out[at++] = numbers[from + POPULARITY]
    out[at++] = numbers[from + TREND]
    out[at++] = numbers[from + AGED]
    at = i * FEATURE_COUNT + FIRST_LAST
    const overMean = logPrice[from / 2] - meanLogPrice
    out[at++] = newestCategory !== 0 && numbers[from + CATEGORY] === newestCategory ? 1 : 0
    // No number where the item's price, or that of all the history, is not known.
    out[at++] = Number.isNaN(overMean) ? 0 : Math.min(2, Math.max(-2, overMean))
    out[at++] = history.length > 0 ? Math.abs(numbers[from + AGED] - historyAge) : 0
    out[at++] = length
    out[at++] = session
    out[at++] = gap
    out[at++] = historyAge
  }
}

/** Where the visitor, the newest item and the cohort are, one after the other; reused from call to call. */
let directions = new Float64Array(0)

/**
 * How nearly candidates point where the visitor, the newest item and the cohort do. A sum must be added up in order to be the
 * same to the bit, each step waiting for the one before; two candidates at a time have six sums that do not wait for each other.
 */
function addDots({ core, candidates, history, visitor, cohort }: FeatureContext, out: Float32Array): void {
  const { dimensions, vectors, centroids } = core
  const newest = history.length > 0 ? history[0].item : -1
  const { count, item: items } = candidates
  // As numbers of one type, so that one loop takes all kinds; nought where there is none, as is the product then.
  if (directions.length === 3 * dimensions) directions.fill(0)
  else directions = new Float64Array(3 * dimensions)
  const towards = directions
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
