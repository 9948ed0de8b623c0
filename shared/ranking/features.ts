import type { Core } from '../release/core-pack.ts'
import { sessionLength } from './history-weights.ts'
import { type Candidates, NOWHERE } from './recall-space.ts'
import { type HistoryItem, PURCHASED, type ReleaseView } from './release-view.ts'

/** What the features of one request share; computed once per request by `featureContext`. */
export type FeatureContext = {
  core: Core
  candidates: Candidates
  history: readonly HistoryItem[]
  /** The visitor's fold-in at unit length, or undefined without a history. */
  visitor: Float32Array | undefined
  cohort: number
  topSimilar: number
  topTogether: number
  meanLogPrice: number
  /** Mean of the ages that the history's items had when they were taken, as `agedAt` has them; 0 without a history. */
  historyAge: number
  historyTerm: number
  sessionTerm: number
  /** log of 1 + hours since the newest item. */
  gapTerm: number
}

/** Columns of summed weights. */
type WeightColumn = 'similar' | 'past' | 'together' | 'next' | 'lastSimilar' | 'lastTogether' | 'lastNext' | 'own'

type Feature = {
  name: string
  /** The values it can take; a value outside is clamped. */
  range: readonly [number, number]
  /** What it says, for the docs and for `explain`. */
  about: string
  value: (context: FeatureContext, i: number) => number
}

/** Added to a weight before its logarithm is taken. */
export const LEAST = 1e-3

/** The feature that is the logarithm of a candidate column of the same name. */
const logOf = (name: WeightColumn, about: string): Feature => ({
  name,
  range: [Math.log(LEAST), 4],
  about,
  value: ({ candidates }, i) => Math.log(candidates[name][i] + LEAST),
})
const itemOf = (context: FeatureContext, i: number): number => context.candidates.item[i]
const inHistory = (context: FeatureContext, i: number): boolean => context.candidates.historyPosition[i] !== NOWHERE
const lastItem = (context: FeatureContext): number => context.history[0]?.item ?? -1

/**
 * The one definition of every feature: the batch trains on these, the edge serves from them, in this order. Both compute
 * them by assemble-features.ts, all in one pass.
 */
export const features: readonly Feature[] = [
  logOf('similar', 'log of the summed neighbour weight'),
  {
    name: 'similarShare',
    range: [0, 1],
    about: 'neighbour weight relative to the best candidate',
    value: (c, i) => (c.topSimilar > 0 ? c.candidates.similar[i] / c.topSimilar : 0),
  },
  logOf('past', 'log of the neighbour weight from earlier sessions'),
  logOf('lastSimilar', 'log of the newest item’s neighbour weight'),
  logOf('together', 'log of the summed together weight'),
  {
    name: 'togetherShare',
    range: [0, 1],
    about: 'together weight relative to the best candidate',
    value: (c, i) => (c.topTogether > 0 ? c.candidates.together[i] / c.topTogether : 0),
  },
  logOf('lastTogether', 'log of the newest item’s together weight'),
  logOf('next', 'log of the summed weight of being the very next step'),
  logOf('lastNext', 'log of the newest item’s own such weight'),
  logOf('own', 'log of what being in the history counts in recall'),
  {
    name: 'mergedShare',
    range: [0, 1],
    about: 'merged score relative to the best candidate',
    value: (c, i) => (c.candidates.merged[0] > 0 ? c.candidates.merged[i] / c.candidates.merged[0] : 0),
  },
  { name: 'rank', range: [0, 6], about: 'log of 1 + place by merged score', value: (_, i) => Math.log1p(i) },
  {
    name: 'support',
    range: [0, 3],
    about: 'log of 1 + how many history items point to it',
    value: (c, i) => Math.log(1 + c.candidates.support[i]),
  },
  { name: 'cohortList', range: [0, 1], about: 'place on the cohort’s list', value: (c, i) => c.candidates.cohortList[i] },
  { name: 'regionList', range: [0, 1], about: 'place on the region’s list', value: (c, i) => c.candidates.regionList[i] },
  {
    name: 'regionLift',
    range: [-1, 1],
    about: 'region’s list minus the global list',
    value: (c, i) => c.candidates.regionList[i] - c.candidates.globalList[i],
  },
  { name: 'inHistory', range: [0, 1], about: 'already in the history', value: (c, i) => (inHistory(c, i) ? 1 : 0) },
  { name: 'isNewest', range: [0, 1], about: 'the newest item itself', value: (c, i) => (c.candidates.historyPosition[i] === 0 ? 1 : 0) },
  {
    name: 'historyRecency',
    range: [0, 1],
    about: 'exp(-position / 4) in the history',
    value: (c, i) => (inHistory(c, i) ? Math.exp(-c.candidates.historyPosition[i] / 4) : 0),
  },
  {
    name: 'repeat',
    range: [0, 1],
    about: 'in the history × how often the item is taken again',
    value: (c, i) => (inHistory(c, i) ? c.core.repeat[itemOf(c, i)] / 255 : 0),
  },
  {
    name: 'itemAge',
    range: [0, 6],
    about: 'where in the history: log of 1 + days since',
    value: (c, i) => (inHistory(c, i) ? Math.log1p((c.history[c.candidates.historyPosition[i]]?.age ?? 0) / 86_400) : 0),
  },
  {
    name: 'purchased',
    range: [0, 1],
    about: 'bought before',
    value: (c, i) => (c.history[c.candidates.historyPosition[i]]?.deed === PURCHASED ? 1 : 0),
  },
  {
    name: 'popularity',
    range: [0, 1],
    about: 'decayed popularity, log scale',
    value: (c, i) => c.core.popularity[itemOf(c, i)] / 255,
  },
  {
    name: 'trend',
    range: [-1, 1],
    about: 'recent over long-run share, log scale',
    value: (c, i) => (c.core.trend[itemOf(c, i)] - 128) / 128,
  },
  {
    name: 'age',
    range: [0, 1.6],
    about: 'log of days since first seen, 1 = three years',
    value: (c, i) => agedAt(c.core, itemOf(c, i), 0),
  },
  {
    name: 'visitorDot',
    range: [-1, 1],
    about: 'cosine to the visitor’s fold-in',
    value: (c, i) => (c.visitor === undefined ? 0 : dotVisitor(c.core, itemOf(c, i), c.visitor)),
  },
  {
    name: 'lastDot',
    range: [-1, 1],
    about: 'cosine to the newest item',
    value: (c, i) => (lastItem(c) < 0 ? 0 : dotItems(c.core, itemOf(c, i), lastItem(c))),
  },
  {
    name: 'cohortDot',
    range: [-1, 1],
    about: 'cosine to the cohort’s centroid',
    value: (c, i) => (c.cohort < 0 ? 0 : dotCentroid(c.core, itemOf(c, i), c.cohort)),
  },
  {
    name: 'sameCategory',
    range: [0, 1],
    about: 'of the newest item’s category',
    value: (c, i) =>
      lastItem(c) >= 0 && c.core.category[itemOf(c, i)] !== 0 && c.core.category[itemOf(c, i)] === c.core.category[lastItem(c)] ? 1 : 0,
  },
  { name: 'priceRatio', range: [-2, 2], about: 'log of price over the history’s mean', value: (c, i) => priceRatio(c, i) },
  {
    name: 'ageGap',
    range: [0, 1.6],
    about: 'how far its age is from the history’s',
    value: (c, i) => (c.history.length > 0 ? Math.abs(agedAt(c.core, itemOf(c, i), 0) - c.historyAge) : 0),
  },
  { name: 'historyLength', range: [0, 4], about: 'log of 1 + history length', value: (c) => c.historyTerm },
  { name: 'sessionLength', range: [0, 4], about: 'log of 1 + items of the session going on', value: (c) => c.sessionTerm },
  { name: 'gap', range: [0, 10], about: 'log of 1 + hours since the newest item', value: (c) => c.gapTerm },
  { name: 'historyAge', range: [0, 1.6], about: 'mean age of the history’s items when they were taken', value: (c) => c.historyAge },
]

export const FEATURE_COUNT = features.length
/** Part of the ranker's contract: a model trained on another set is refused at publish and at load. */
export const FEATURE_SET = `v4:${features.map((feature) => feature.name).join(',')}`

export function featureContext(
  view: ReleaseView,
  candidates: Candidates,
  history: readonly HistoryItem[],
  visitor: Float32Array | undefined,
  cohort: number,
): FeatureContext {
  let logs = 0
  let priced = 0
  let ages = 0
  for (const { item, age } of history) {
    ages += agedAt(view.core, item, age)
    const price = view.core.price[item]
    if (price > 0) {
      logs += Math.log(price)
      priced++
    }
  }
  return {
    core: view.core,
    candidates,
    history,
    visitor,
    cohort,
    topSimilar: greatest(candidates.similar),
    topTogether: greatest(candidates.together),
    meanLogPrice: priced > 0 ? logs / priced : Number.NaN,
    historyAge: history.length > 0 ? ages / history.length : 0,
    historyTerm: Math.log1p(history.length),
    sessionTerm: Math.log1p(sessionLength(history)),
    gapTerm: Math.log1p((history[0]?.age ?? 0) / 3600),
  }
}

/** log of 1 + the days that an item had been there so many seconds ago, 1 = three years; as a 32-bit float, as ranking keeps it. */
export const agedAt = ({ age }: Core, item: number, ago: number): number =>
  Math.fround(Math.log1p(Math.max(0, age[item] - ago / 86_400)) / 7)

/** Of weights, which are 0 at least. */
function greatest(weights: Float32Array): number {
  let top = 0
  for (let i = 0; i < weights.length; i++) top = Math.max(top, weights[i])
  return top
}

function priceRatio(context: FeatureContext, i: number): number {
  const price = context.core.price[itemOf(context, i)]
  return price > 0 && !Number.isNaN(context.meanLogPrice) ? Math.log(price) - context.meanLogPrice : 0
}

const LENGTH = 127

function dotItems(core: Core, a: number, b: number): number {
  const { dimensions, vectors } = core
  let dot = 0
  for (let d = 0; d < dimensions; d++) dot += vectors[a * dimensions + d] * vectors[b * dimensions + d]
  return dot / (LENGTH * LENGTH)
}

function dotVisitor(core: Core, item: number, visitor: Float32Array): number {
  const { dimensions, vectors } = core
  let dot = 0
  for (let d = 0; d < dimensions; d++) dot += vectors[item * dimensions + d] * visitor[d]
  return dot / LENGTH
}

function dotCentroid(core: Core, item: number, cohort: number): number {
  const { dimensions, vectors, centroids } = core
  let dot = 0
  for (let d = 0; d < dimensions; d++) dot += vectors[item * dimensions + d] * centroids[cohort * dimensions + d]
  return dot / LENGTH
}
