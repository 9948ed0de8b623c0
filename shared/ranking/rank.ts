import { assembleFeatures } from './assemble-features.ts'
import { type RecallRequest, recall } from './candidates.ts'
import { foldIn } from './cohort.ts'
import { FEATURE_COUNT, featureContext } from './features.ts'
import type { Candidates, RecallSpace } from './recall-space.ts'
import { roundScore } from './reference-scorer.ts'
import type { ReleaseView } from './release-view.ts'
import { sortPlaces } from './top.ts'

/** Scores `count` rows of FEATURE_COUNT features; ONNX and the reference scorer are two of them. */
export type Scorer = (features: Float32Array, count: number) => Float32Array

/** Candidates with their final scores; `order` lists candidate positions, best first. */
export type Ranking = {
  candidates: Candidates
  /** By candidate position, rounded to 1e-4. */
  scores: Float64Array
  order: Uint32Array
  /** candidates.count × FEATURE_COUNT; empty when the merged score alone decides. */
  features: Float32Array
}

/**
 * Recall, features, scores and order for one request: the same steps that the batch's evaluation takes. Without a
 * scorer the merged score decides. Of a space that lends, what comes back is good until the next request.
 */
export function rankCandidates(
  view: ReleaseView,
  space: RecallSpace,
  request: RecallRequest,
  scorer: Scorer | null,
  allow: (item: number) => boolean,
): Ranking {
  return rankingOf(view, space, recall(view, space, request, allow), request, scorer)
}

/** Features, scores and order of candidates that were recalled for this request. */
export function rankingOf(
  view: ReleaseView,
  space: RecallSpace,
  candidates: Candidates,
  request: RecallRequest,
  scorer: Scorer | null,
): Ranking {
  if (scorer === null) return { candidates, features: new Float32Array(0), ...ordered(candidates, candidates.merged, space) }
  const features = candidateFeatures(view, candidates, request, space.features(candidates.count * FEATURE_COUNT))
  return { candidates, features, ...ordered(candidates, scorer(features, candidates.count), space) }
}

export function candidateFeatures(
  view: ReleaseView,
  candidates: Candidates,
  request: Pick<RecallRequest, 'history' | 'cohort' | 'place'>,
  features: Float32Array = new Float32Array(candidates.count * FEATURE_COUNT),
): Float32Array {
  const visitor = request.place ?? foldIn(view.core, request.history, view.manifest.recall)
  assembleFeatures(featureContext(view, candidates, request.history, visitor, request.cohort), features)
  return features
}

type Ordered = { scores: Float64Array; order: Uint32Array<ArrayBuffer> }

/** Rounded scores and the order they give; ties go to the lower item index. @param space whose room is used, where it lends */
export function ordered({ count, item }: Candidates, raw: Float32Array, space?: RecallSpace): Ordered {
  const { scores, places, order } = space?.ordering(count) ?? {
    scores: new Float64Array(count),
    places: new Uint32Array(count),
    order: new Uint32Array(count),
  }
  for (let i = 0; i < count; i++) {
    scores[i] = roundScore(raw[i])
    places[i] = i
  }
  sortPlaces(places, count, { values: scores, ids: item }, order)
  return { scores, order }
}
