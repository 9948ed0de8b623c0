import { hitRateAt, ndcgAt, recallAt, reciprocalRankAt } from '../../shared/metrics.ts'
import { type RecallRequest, recall } from '../../shared/ranking/candidates.ts'
import { foldIn, nearestCohort } from '../../shared/ranking/cohort.ts'
import { FEATURE_COUNT } from '../../shared/ranking/features.ts'
import { candidateFeatures, ordered } from '../../shared/ranking/rank.ts'
import { type Candidates, RecallSpace } from '../../shared/ranking/recall-space.ts'
import { referenceScores, type Weights } from '../../shared/ranking/reference-scorer.ts'
import { regionPath } from '../../shared/ranking/regions.ts'
import type { ReleaseView } from '../../shared/ranking/release-view.ts'
import type { RecallParameters } from '../../shared/release/manifest.ts'
import type { Example } from '../kernels/gradients.ts'
import { continentOf } from '../learn/lists.ts'
import type { Decision } from './decisions.ts'
import type { Journal } from './journal.ts'
import { clickWeight, type PositionBias } from './position-bias.ts'
import { type TrainOptions, trainRanker } from './train.ts'

/** What served quality was on some decisions. */
export type Quality = { 'recall@20': number; 'ndcg@20': number; 'mrr@20': number; 'hitrate@20': number; coverage: number }

/** A figure as it goes into the manifest, so that its bytes do not hang on the last bit. */
export const rounded = (quality: number): number => Math.round(quality * 1e6) / 1e6

/** A release, and what the nights after it would have served in its place from then on (Unix seconds, ascending). */
export type ServedView = ReleaseView & { later?: readonly { from: number; view: ReleaseView }[] }

/** The request the edge would make of this decision. */
export function requestOf(view: ReleaseView, regions: ReadonlySet<string>, decision: Pick<Decision, 'history' | 'country'>): RecallRequest {
  const place = foldIn(view.core, decision.history, view.manifest.recall)
  return {
    history: decision.history,
    regions: regionPath(regions, decision.country, continentOf(decision.country)),
    cohort: place === undefined ? -1 : nearestCohort(view.core, place),
    trending: [],
    fresh: [],
  }
}

export const regionsOf = (view: ReleaseView): Set<string> => new Set(view.manifest.lists.flatMap((pack) => pack.regions))

/** A decision with what the edge would have to rank for it. */
export type Gathered = { decision: Decision; candidates: Candidates; features: () => Float32Array }

/** Which release would serve a decision, under the recall of the first, and the regions that it has lists of. */
export function nightsOf(served: ServedView): (decision: Pick<Decision, 'at'>) => { view: ReleaseView; regions: ReadonlySet<string> } {
  const later = served.later ?? []
  const nights = [served, ...later.map(({ view }) => withRecall(view, served.manifest.recall))].map((view) => ({
    view,
    regions: regionsOf(view),
  }))
  return ({ at }) => nights[1 + later.findLastIndex(({ from }) => from <= at)]
}

/** One decision after the other, for a caller that does not need all of them at once. */
export function* gathered(view: ServedView, decisions: readonly Decision[]): Generator<Gathered> {
  const space = new RecallSpace(view.core.items)
  const nightOf = nightsOf(view)
  for (const decision of decisions) {
    const { view: own, regions } = nightOf(decision)
    const request = requestOf(own, regions, decision)
    const candidates = recall(own, space, request, (item) => !decision.barred.has(item))
    yield { decision, candidates, features: () => candidateFeatures(own, candidates, request) }
  }
}

export const withRecall = <V extends ReleaseView>(view: V, recall: RecallParameters): V => ({
  ...view,
  manifest: { ...view.manifest, recall },
})

/** The ranker's scores of `count` candidates, as they are before rounding. */
export function rankerScores(weights: Weights, features: Float32Array, count: number): Float32Array {
  const scores = new Float32Array(count)
  referenceScores(weights, features, count, scores)
  return scores
}

/** The best `most` items by the merged score, or by the ranker when weights are given. */
export function slateOf(
  { candidates, features }: Pick<Gathered, 'candidates' | 'features'>,
  weights: Weights | null,
  most: number,
): number[] {
  const scores = weights === null ? candidates.merged : rankerScores(weights, features(), candidates.count)
  return Array.from(ordered(candidates, scores).order.subarray(0, most), (i) => candidates.item[i])
}

/** The slate of each decision by the merged score, or by the ranker when weights are given. */
export const slates = (view: ServedView, decisions: readonly Decision[], weights: Weights | null): number[][] =>
  Array.from(gathered(view, decisions), (own) => slateOf(own, weights, 20))

/** @param items how many there are */
export function qualityOf(items: number, decisions: readonly Pick<Decision, 'next'>[], shown: readonly number[][]): Quality {
  const mean = (metric: (slate: readonly number[], next: ReadonlySet<number>, k: number) => number): number =>
    decisions.reduce((sum, { next }, i) => sum + metric(shown[i], next, 20), 0) / Math.max(1, decisions.length)
  return {
    'recall@20': mean(recallAt),
    'ndcg@20': mean(ndcgAt),
    'mrr@20': mean(reciprocalRankAt),
    'hitrate@20': mean(hitRateAt),
    coverage: new Set(shown.flat()).size / Math.max(1, items),
  }
}

/** Of fewer decisions a kind's mean is mostly chance. */
export const ENOUGH_OF_A_KIND = 100

/** What settings and rankers are compared by. */
type Compared = { count: number; recall: number; ndcg: number }

/** Means of recall@20 and NDCG@20 by kind of decision. */
function byKind(decisions: readonly Pick<Decision, 'kind' | 'next'>[], shown: readonly number[][]): Compared[] {
  const sum = new Map<Decision['kind'], Compared>()
  decisions.forEach(({ kind, next }, i) => {
    const own = sum.get(kind) ?? { recall: 0, ndcg: 0, count: 0 }
    own.recall += recallAt(shown[i], next, 20)
    own.ndcg += ndcgAt(shown[i], next, 20)
    own.count++
    sum.set(kind, own)
  })
  return Array.from(sum.values(), (own) => ({ ...own, recall: own.recall / own.count, ndcg: own.ndcg / own.count }))
}

/** NDCG@20 plus recall@20, every kind of decision counting the same however many there are, unless they are few. */
export function balanced(decisions: readonly Decision[], shown: readonly number[][]): number {
  let total = 0
  let kinds = 0
  for (const { recall, ndcg, count } of byKind(decisions, shown)) {
    const share = Math.min(1, count / ENOUGH_OF_A_KIND)
    total += share * (recall + ndcg)
    kinds += share
  }
  return kinds > 0 ? total / kinds : 0
}

/** What is tried for each parameter, one after the other, twice round: a coordinate search. */
const TRIED: { [P in keyof RecallParameters]?: readonly RecallParameters[P][] } = {
  togetherWeight: [0, 0.15, 0.35, 0.65, 1],
  historyDecay: [1, 2.5, 5, 12],
  selfWeight: [0, 0.1, 0.3, 0.6, 1, 3],
  pastTogetherWeight: [0, 0.15, 0.35, 0.65, 1],
  pastDecay: [5, 15, 40, 1000],
  pastWeight: [0, 0.1, 0.3, 1],
  pastSelfWeight: [0, 1, 3, 10],
  historyItems: [20, 50, 1000],
  listWeight: [0, 0.02, 0.05, 0.15, 0.4, 1],
}
const ROUNDS = 2
/** How many settings the search judges at most; what is compared with us is tuned with as many. */
export const RECALL_TRIALS = 1 + ROUNDS * Object.values(TRIED).flat().length

/**
 * Recall parameters that rank the decisions' next items best by the merged score alone.
 * @param settled those that stay as the view has them: decisions that bar what a visitor has tell nothing about it
 */
export async function chooseRecall(
  view: ServedView,
  decisions: readonly Decision[],
  settled: Partial<RecallParameters>,
  journal: Journal,
): Promise<RecallParameters> {
  const qualityWith = (recall: RecallParameters): Promise<number> =>
    journal.once('recall', recall, () => balanced(decisions, slates(withRecall(view, recall), decisions, null)))
  let best = view.manifest.recall
  let most = await qualityWith(best)
  for (let round = 0; round < ROUNDS; round++) {
    for (const [parameter, values] of Object.entries(TRIED)) {
      if (parameter in settled) continue
      for (const value of values) {
        const attempt = { ...best, [parameter]: value }
        const quality = await qualityWith(attempt)
        if (quality <= most) continue
        most = quality
        best = attempt
      }
    }
  }
  return best
}

/** Trains the ranker on decisions whose lists did not see them. */
export const learnRanker = (
  view: ServedView,
  decisions: readonly Decision[],
  bias: PositionBias | undefined,
  options: Omit<TrainOptions, 'features'>,
): Promise<Weights> => trainRanker(examplesOf(view, decisions, bias), { features: FEATURE_COUNT, ...options })

/** Only decisions with a taken candidate teach anything. */
export function examplesOf(view: ServedView, decisions: readonly Decision[], bias: PositionBias | undefined): Example[] {
  const examples: Example[] = []
  for (const { decision, candidates, features } of gathered(view, decisions)) {
    const taken = Array.from(candidates.item.keys()).filter((i) => decision.next.has(candidates.item[i]))
    if (taken.length === 0) continue
    const weight = clickWeight(bias, decision.position)
    examples.push({ features: features(), count: candidates.count, taken, weight })
  }
  return examples
}
