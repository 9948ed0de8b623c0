import { indexArray } from '../../shared/release/container.ts'
import { NEIGHBOUR_WEIGHTS, type NeighbourInput, type NeighbourWeight } from '../../shared/release/neighbour-pack.ts'
import { largest, type Sparse } from './sparse.ts'

/** How deep each kind's own ranking is looked at for the merged row. */
const DEPTH = 2

/** What a row is chosen by: how much each kind counts. */
export type Shares = Record<NeighbourWeight, number>

/**
 * One row an item with every kind of weight: the best `most` by the sum of the kinds' weights times their shares, best
 * first, ties by item. The matrices are on one scale (see `unitScale`).
 */
export function mergeNeighbours(kinds: Record<NeighbourWeight, Sparse>, shares: Shares, most: number): NeighbourInput[] {
  const items = kinds.similar.rows
  const merged = new Map<number, number>()
  return Array.from({ length: items }, (_, source) => {
    merged.clear()
    for (const kind of NEIGHBOUR_WEIGHTS) {
      if (shares[kind] === 0) continue
      for (const k of largest(kinds[kind], source, DEPTH * most)) {
        const item = kinds[kind].index[k]
        merged.set(item, (merged.get(item) ?? 0) + shares[kind] * kinds[kind].value[k])
      }
    }
    const best = [...merged].sort(([a, x], [b, y]) => y - x || a - b).slice(0, most)
    const row = best.map(([item]) => item)
    return {
      items: row,
      similar: valuesAt(kinds.similar, source, row),
      together: valuesAt(kinds.together, source, row),
      next: valuesAt(kinds.next, source, row),
    }
  })
}

/**
 * How many neighbours a row may hold: `most` where all kinds of weight are known, and as many more as fit into the same
 * bytes where some kinds are not, and so take no space.
 */
export function rowLength(kinds: Record<NeighbourWeight, Sparse>, most: number): number {
  const index = indexArray(kinds.similar.rows, []).BYTES_PER_ELEMENT
  const known = NEIGHBOUR_WEIGHTS.filter((kind) => kinds[kind].index.length > 0).length
  return Math.floor((most * (index + NEIGHBOUR_WEIGHTS.length)) / (index + Math.max(1, known)))
}

function valuesAt(matrix: Sparse, row: number, columns: readonly number[]): number[] {
  const value = new Map<number, number>()
  for (let k = matrix.start[row]; k < matrix.start[row + 1]; k++) value.set(matrix.index[k], matrix.value[k])
  return columns.map((column) => Math.max(0, value.get(column) ?? 0))
}

/** Scaled so that the rows' largest weights are 1 on average: kinds, and nights, then compare. */
export function unitScale(matrix: Sparse): Sparse {
  let sum = 0
  let rows = 0
  for (let row = 0; row < matrix.rows; row++) {
    let top = 0
    for (let k = matrix.start[row]; k < matrix.start[row + 1]; k++) top = Math.max(top, matrix.value[k])
    sum += top
    if (top > 0) rows++
  }
  const unit = sum > 0 ? rows / sum : 1
  return { ...matrix, value: matrix.value.map((value) => value * unit) }
}
