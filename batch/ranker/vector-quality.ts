import { historyWeights } from '../../shared/ranking/history-weights.ts'
import { topItems } from '../../shared/ranking/top.ts'
import { balanced } from './choose.ts'
import type { Decision } from './decisions.ts'
import { USUAL_RECALL } from './usual-recall.ts'

const SLATE = 20

/**
 * How well item vectors (rows of `dimensions`, at unit length) rank what comes next, by their products with the faded sum
 * of the history's: what the fold-in of visitors and the ranker's features make of them. The history itself and what is
 * barred are left out.
 * @param items how many there are
 */
export function vectorQuality(items: number, decisions: readonly Decision[], vectors: Float32Array, dimensions: number): number {
  const asked = decisions.filter(({ history }) => history.length > 0)
  const all = Uint32Array.from({ length: items }, (_, item) => item)
  const score = new Float32Array(items)
  const slates = asked.map(({ history, barred }) => {
    const place = new Float64Array(dimensions)
    historyWeights(history, { ...USUAL_RECALL, historyItems: history.length }).forEach((weight, position) => {
      const from = history[position].item * dimensions
      for (let d = 0; d < dimensions; d++) place[d] += weight * vectors[from + d]
    })
    for (let item = 0; item < items; item++) {
      let dot = 0
      for (let d = 0; d < dimensions; d++) dot += place[d] * vectors[item * dimensions + d]
      score[item] = dot
    }
    for (const { item } of history) score[item] = Number.NEGATIVE_INFINITY
    for (const item of barred) score[item] = Number.NEGATIVE_INFINITY
    return Array.from(topItems(all, items, score, SLATE)).filter((item) => score[item] > Number.NEGATIVE_INFINITY)
  })
  return balanced(asked, slates)
}
