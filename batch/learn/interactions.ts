import type { Dataset } from '../dataset.ts'
import { type Sparse, SparseBuilder, transpose } from './sparse.ts'

/** The deeds that models may learn from: those before `until`, and what "now" is for them. */
export type Window = { dataset: Dataset; until: number }

export type Interactions = {
  /** visitor × item; one entry for each distinct pair, valued by recency (0 … 1] of its newest deed. */
  byVisitor: Sparse
  byItem: Sparse
  /** Distinct items per visitor. */
  visitorItems: Uint32Array
  /** Distinct visitors per item. */
  itemVisitors: Uint32Array
}

const DAY = 86_400

/** How much a deed of this age still counts: halves every `halfLifeDays`. */
export const recency = (now: number, at: number, halfLifeDays: number): number => 2 ** (-(now - at) / (halfLifeDays * DAY))

/** Distinct visitor–item pairs in the window. */
export function interactions({ dataset, until }: Window, halfLifeDays: number): Interactions {
  const { deeds, items, visitors } = dataset
  const builder = new SparseBuilder(items.length)
  const value = new Float32Array(items.length)
  let at = 0
  for (let visitor = 0; visitor < visitors.length; visitor++) {
    const touched: number[] = []
    for (; at < deeds.count && deeds.visitor[at] === visitor; at++) {
      if (deeds.at[at] >= until) continue
      const item = deeds.item[at]
      if (value[item] === 0) touched.push(item)
      value[item] = Math.max(value[item], recency(until, deeds.at[at], halfLifeDays), 1e-6)
    }
    touched.sort((a, b) => a - b)
    for (const item of touched) {
      builder.push(item, value[item])
      value[item] = 0
    }
    builder.endRow()
  }
  const byVisitor = builder.build()
  const byItem = transpose(byVisitor)
  const degree = (matrix: Sparse): Uint32Array =>
    Uint32Array.from({ length: matrix.rows }, (_, row) => matrix.start[row + 1] - matrix.start[row])
  return { byVisitor, byItem, visitorItems: degree(byVisitor), itemVisitors: degree(byItem) }
}
