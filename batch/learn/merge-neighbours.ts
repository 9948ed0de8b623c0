import type { NeighbourInput } from '../../shared/release/neighbour-pack.ts'
import { largest, type Sparse } from './sparse.ts'

/** How deep each kind's own ranking is looked at for the merged row. */
const DEPTH = 2

/**
 * One row an item with both weights: the best `most` by the sum of the two kinds' shares of their own best, sorted by
 * `similar`, ties by `together`, then by item.
 */
export function mergeNeighbours(similar: Sparse, together: Sparse, most: number): NeighbourInput[] {
  return Array.from({ length: similar.rows }, (_, source) => {
    const weights = new Map<number, { similar: number; together: number }>()
    const bySimilar = largest(similar, source, DEPTH * most)
    const byTogether = largest(together, source, DEPTH * most)
    for (const k of bySimilar) weights.set(similar.index[k], { similar: similar.value[k], together: 0 })
    for (const k of byTogether) {
      const item = together.index[k]
      const both = weights.get(item)
      if (both === undefined) weights.set(item, { similar: 0, together: together.value[k] })
      else both.together = together.value[k]
    }
    const topSimilar = bySimilar.length > 0 ? similar.value[bySimilar[0]] : 1
    const topTogether = byTogether.length > 0 ? together.value[byTogether[0]] : 1
    const rows = [...weights].map(([item, weight]) => ({
      item,
      ...weight,
      merged: weight.similar / topSimilar + weight.together / topTogether,
    }))
    rows.sort((a, b) => b.merged - a.merged || a.item - b.item)
    const kept = rows.slice(0, most).sort((a, b) => b.similar - a.similar || b.together - a.together || a.item - b.item)
    return { items: kept.map((row) => row.item), similar: kept.map((row) => row.similar), together: kept.map((row) => row.together) }
  })
}
