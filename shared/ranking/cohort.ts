import type { Core } from '../release/core-pack.ts'
import type { RecallParameters } from '../release/manifest.ts'
import { historyWeights } from './history-weights.ts'
import type { HistoryItem } from './release-view.ts'

/**
 * A visitor's place among the items: the sum of the vectors of their history, newer ones weighing more, at unit length.
 * Undefined when the history says nothing (no item with a vector).
 */
export function foldIn(core: Core, history: readonly HistoryItem[], recall: RecallParameters): Float32Array | undefined {
  const { dimensions, vectors } = core
  const sum = new Float32Array(dimensions)
  const weights = historyWeights(history, recall)
  for (let position = 0; position < weights.length; position++) {
    const weight = weights[position]
    const from = history[position].item * dimensions
    for (let d = 0; d < dimensions; d++) sum[d] += weight * vectors[from + d]
  }
  let square = 0
  for (let d = 0; d < dimensions; d++) square += sum[d] * sum[d]
  if (square === 0) return undefined
  const scale = 1 / Math.sqrt(square)
  for (let d = 0; d < dimensions; d++) sum[d] *= scale
  return sum
}

/** The cohort whose centroid points most nearly where the visitor does; ties go to the lower number; -1 without cohorts. */
export function nearestCohort(core: Core, visitor: Float32Array): number {
  const { dimensions, cohorts, centroids } = core
  let best = -1
  let most = Number.NEGATIVE_INFINITY
  for (let cohort = 0; cohort < cohorts; cohort++) {
    let dot = 0
    for (let d = 0; d < dimensions; d++) dot += visitor[d] * centroids[cohort * dimensions + d]
    if (dot > most) {
      most = dot
      best = cohort
    }
  }
  return best
}
