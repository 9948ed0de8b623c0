import { hitRateAt, ndcgAt, recallAt, reciprocalRankAt } from '../../shared/metrics.ts'
import { type RecallRequest, RecallSpace, recall } from '../../shared/ranking/candidates.ts'
import { foldIn, nearestCohort } from '../../shared/ranking/cohort.ts'
import { FEATURE_COUNT } from '../../shared/ranking/features.ts'
import { candidateFeatures, ordered } from '../../shared/ranking/rank.ts'
import { referenceScores, type Weights } from '../../shared/ranking/reference-scorer.ts'
import { regionPath } from '../../shared/ranking/regions.ts'
import type { ReleaseView } from '../../shared/ranking/release-view.ts'
import type { RecallParameters } from '../../shared/release/manifest.ts'
import { continentOf } from '../learn/lists.ts'
import type { Decision } from './decisions.ts'
import { type Example, type TrainOptions, trainRanker } from './train.ts'

/** What served quality was on some decisions. */
export type Quality = { 'recall@20': number; 'ndcg@20': number; 'mrr@20': number; 'hitrate@20': number; coverage: number }

const everything = (): boolean => true

/** The request the edge would make of this decision. */
export function requestOf(view: ReleaseView, regions: ReadonlySet<string>, decision: Decision): RecallRequest {
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

/** The slate of each decision by the merged score, or by the ranker when weights are given. */
export function slates(view: ReleaseView, decisions: readonly Decision[], weights: Weights | null): number[][] {
  const space = new RecallSpace(view.core.items)
  const regions = regionsOf(view)
  return decisions.map((decision) => {
    const request = requestOf(view, regions, decision)
    const candidates = recall(view, space, request, everything)
    const raw = weights === null ? candidates.merged : new Float32Array(candidates.count)
    if (weights !== null) referenceScores(weights, candidateFeatures(view, candidates, request), candidates.count, raw)
    return Array.from(ordered(candidates, raw).order.subarray(0, 20), (i) => candidates.item[i])
  })
}

export function qualityOf(view: ReleaseView, decisions: readonly Decision[], shown: readonly number[][]): Quality {
  const mean = (metric: (slate: readonly number[], next: ReadonlySet<number>, k: number) => number): number =>
    decisions.reduce((sum, { next }, i) => sum + metric(shown[i], next, 20), 0) / Math.max(1, decisions.length)
  return {
    'recall@20': mean(recallAt),
    'ndcg@20': mean(ndcgAt),
    'mrr@20': mean(reciprocalRankAt),
    'hitrate@20': mean(hitRateAt),
    coverage: new Set(shown.flat()).size / Math.max(1, view.core.items),
  }
}

/** Recall parameters that rank the decisions' next items best by the merged score alone. */
export function chooseRecall(view: ReleaseView, decisions: readonly Decision[]): RecallParameters {
  const base = view.manifest.recall
  let best = base
  let most = Number.NEGATIVE_INFINITY
  const attempt = (recall: RecallParameters): void => {
    const quality = qualityOf(view, decisions, slates({ ...view, manifest: { ...view.manifest, recall } }, decisions, null))
    const score = quality['ndcg@20'] + quality['recall@20']
    if (score <= most) return
    most = score
    best = recall
  }
  for (const historyDecay of [2, 5, 12]) for (const selfWeight of [0, 0.3, 1]) attempt({ ...base, historyDecay, selfWeight })
  for (const listWeight of [0.05, 0.4]) attempt({ ...best, listWeight })
  return best
}

/** Trains the ranker on decisions whose lists did not see them; only decisions with a taken candidate teach anything. */
export async function learnRanker(
  view: ReleaseView,
  decisions: readonly Decision[],
  options: Omit<TrainOptions, 'features'>,
): Promise<Weights> {
  const space = new RecallSpace(view.core.items)
  const regions = regionsOf(view)
  const examples: Example[] = []
  for (const decision of decisions) {
    const request = requestOf(view, regions, decision)
    const candidates = recall(view, space, request, everything)
    const taken = Array.from(candidates.item.keys()).filter((i) => decision.next.has(candidates.item[i]))
    if (taken.length > 0) examples.push({ features: candidateFeatures(view, candidates, request), count: candidates.count, taken })
  }
  return trainRanker(examples, { features: FEATURE_COUNT, ...options })
}
