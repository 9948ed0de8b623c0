import { type Dataset, type Deeds, WHOLE } from '../dataset.ts'
import { type Sparse, SparseBuilder, transpose } from './sparse.ts'

/** The deeds that models may learn from: those before `until`, and what "now" is for them. */
export type Window = { dataset: Dataset; until: number }

export type Interactions = {
  /** visitor × item; one entry for each distinct pair, valued by the most that a deed of it counts, (0 … 1]: recency × weight. */
  byVisitor: Sparse
  byItem: Sparse
  /** Distinct items per visitor. */
  visitorItems: Uint32Array
  /** Distinct visitors per item. */
  itemVisitors: Uint32Array
}

const DAY = 86_400
/** What was ever touched is told from what never was. */
const LEAST = 1e-6

/** How much a deed of this age still counts: halves every `halfLifeDays`. */
export const recency = (now: number, at: number, halfLifeDays: number): number =>
  halfLifeDays === Number.POSITIVE_INFINITY ? 1 : 2 ** (-(now - at) / (halfLifeDays * DAY))

/** How much a deed counts as of `now`, (0 … 1]. */
const countOf = ({ at, weight }: Deeds, deed: number, now: number, halfLifeDays: number): number =>
  Math.max((recency(now, at[deed], halfLifeDays) * weight[deed]) / WHOLE, LEAST)

/** Distinct visitor–item pairs in the window. */
export function interactions({ dataset, until }: Window, halfLifeDays: number): Interactions {
  const { deeds, items, visitors } = dataset
  const builder = new SparseBuilder(items.length)
  const value = new Float32Array(items.length)
  const touched = new Uint32Array(items.length)
  let at = 0
  for (let visitor = 0; visitor < visitors.length; visitor++) {
    let count = 0
    for (; at < deeds.count && deeds.visitor[at] === visitor; at++) {
      if (deeds.at[at] >= until) continue
      const item = deeds.item[at]
      if (value[item] === 0) touched[count++] = item
      value[item] = Math.max(value[item], countOf(deeds, at, until, halfLifeDays))
    }
    for (const item of touched.subarray(0, count).sort()) {
      builder.push(item, value[item])
      value[item] = 0
    }
    builder.endRow()
  }
  return interactionsOf(builder.build())
}

function interactionsOf(byVisitor: Sparse): Interactions {
  const byItem = transpose(byVisitor)
  const degree = (matrix: Sparse): Uint32Array =>
    Uint32Array.from({ length: matrix.rows }, (_, row) => matrix.start[row + 1] - matrix.start[row])
  return { byVisitor, byItem, visitorItems: degree(byVisitor), itemVisitors: degree(byItem) }
}

/**
 * Those of so many visitors that all of them together have about `most` pairs of items, drawn by their number: what a
 * crowd tells of two items, a part of it tells as well. Where there are fewer pairs, all visitors stay.
 */
export const withMostPairs = (all: Interactions, most: number): Interactions =>
  drawn(all, most / all.visitorItems.reduce((sum, count) => sum + count * count, 0))

/** The same of about `most` entries. */
export const withMostEntries = (all: Interactions, most: number): Interactions => drawn(all, most / all.byVisitor.index.length)

function drawn(all: Interactions, share: number): Interactions {
  if (!(share < 1)) return all
  const { byVisitor } = all
  const builder = new SparseBuilder(byVisitor.columns)
  for (let visitor = 0; visitor < byVisitor.rows; visitor++) {
    // Knuth's multiplicative hash (The Art of Computer Programming 3, 6.4): neighbours in number are not drawn together.
    if (Math.imul(visitor + 1, 2_654_435_769) >>> 0 >= share * 2 ** 32) continue
    for (let k = byVisitor.start[visitor]; k < byVisitor.start[visitor + 1]; k++) builder.push(byVisitor.index[k], byVisitor.value[k])
    builder.endRow()
  }
  return interactionsOf(builder.build())
}

/** By item, how much its visitors' deeds in the window still count; what `interactions` sums up to, without the pairs. */
export function recentSums({ dataset: { deeds, items }, until }: Window, halfLifeDays: number): Float64Array {
  const sums = new Float64Array(items.length)
  const value = new Float32Array(items.length)
  const touched = new Uint32Array(items.length)
  let count = 0
  for (let at = 0; at < deeds.count; at++) {
    const item = deeds.item[at]
    if (deeds.at[at] < until) {
      if (value[item] === 0) touched[count++] = item
      value[item] = Math.max(value[item], countOf(deeds, at, until, halfLifeDays))
    }
    if (at + 1 < deeds.count && deeds.visitor[at + 1] === deeds.visitor[at]) continue
    for (let i = 0; i < count; i++) {
      sums[touched[i]] += value[touched[i]]
      value[touched[i]] = 0
    }
    count = 0
  }
  return sums
}
