import { nearestOf } from '../learn/nearest.ts'
import type { Decision } from './decisions.ts'
import { fadedHistory, SLATE, slatesQuality } from './history-quality.ts'

/**
 * How well item vectors (rows of `dimensions`, at unit length) rank what comes next, by their cosines with the faded sum
 * of the history's, as far as those are above 0: what the fold-in of visitors and the ranker's features make of them.
 * @param items how many there are
 */
export function vectorQuality(items: number, decisions: readonly Decision[], vectors: Float32Array, dimensions: number): Promise<number> {
  return slatesQuality(decisions, async (asked) => {
    const places = new Float32Array((items + asked.length) * dimensions)
    places.set(vectors)
    asked.forEach((decision, i) => {
      const place = places.subarray((items + i) * dimensions, (items + i + 1) * dimensions)
      for (const { item, weight } of fadedHistory(decision))
        for (let d = 0; d < dimensions; d++) place[d] += weight * vectors[item * dimensions + d]
      const length = Math.hypot(...place)
      for (let d = 0; length > 0 && d < dimensions; d++) place[d] /= length
    })
    const near = await nearestOf(
      { vectors: places, dimensions },
      {
        targets: Uint32Array.from(asked, (_, i) => items + i),
        others: Uint32Array.from({ length: items }, (_, item) => item),
        most: SLATE,
        barred: asked.map(({ history, barred }) => Uint32Array.from(new Set([...history.map(({ item }) => item), ...barred])).sort()),
      },
    )
    return near.map((own) => Array.from(own.items))
  })
}
