import { describe, expect, it } from 'vitest'
import { rowLength } from '../../batch/learn/merge-neighbours.ts'
import { type Sparse, SparseBuilder } from '../../batch/learn/sparse.ts'

const ITEMS = 3

function matrix(weight?: number): Sparse {
  const builder = new SparseBuilder(ITEMS)
  for (let row = 0; row < ITEMS; row++) {
    if (weight !== undefined) builder.push((row + 1) % ITEMS, weight)
    builder.endRow()
  }
  return builder.build()
}

describe('the length of a row', () => {
  it('is as configured where every kind of weight is known', () => {
    expect(rowLength({ similar: matrix(1), together: matrix(1), next: matrix(1) }, 80)).toBe(80)
  })

  it('is what fits into the same bytes where nothing is known of sessions', () => {
    expect(rowLength({ similar: matrix(1), together: matrix(), next: matrix() }, 80)).toBe(133)
  })
})
