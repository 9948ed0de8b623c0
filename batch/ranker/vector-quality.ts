import type { Decision } from './decisions.ts'
import { historyQuality } from './history-quality.ts'

/**
 * How well item vectors (rows of `dimensions`, at unit length) rank what comes next, by their products with the faded sum
 * of the history's: what the fold-in of visitors and the ranker's features make of them.
 * @param items how many there are
 */
export function vectorQuality(items: number, decisions: readonly Decision[], vectors: Float32Array, dimensions: number): number {
  const all = Uint32Array.from({ length: items }, (_, item) => item)
  return historyQuality(items, decisions, (score, history) => {
    const place = new Float64Array(dimensions)
    for (const { item, weight } of history) for (let d = 0; d < dimensions; d++) place[d] += weight * vectors[item * dimensions + d]
    for (let item = 0; item < items; item++) {
      let dot = 0
      for (let d = 0; d < dimensions; d++) dot += place[d] * vectors[item * dimensions + d]
      score[item] = dot
    }
    return all
  })
}
