import { topItems } from '../../shared/ranking/top.ts'
import type { NeighbourInput } from '../../shared/release/neighbour-pack.ts'

/** Where every item stands: items × dimensions, rows at unit length (see `itemVectors`). */
type Places = { vectors: Float32Array; dimensions: number }

/** Places of a row that newcomers may take; the known ones keep all others. */
const NEWCOMERS_IN_A_ROW = 10
/** A newcomer enters no more rows than those nearest to it: without it, a few promising ones would fill the rows of all. */
const ROWS_OF_A_NEWCOMER = 100
/** An own row of content alone; none of it was ever seen to be right, so it is shorter than others. */
const OWN_ROW = 6
/** How many tried items tell what a newcomer may be worth. */
const ALIKE = 20
/** The best known item there can be counts this much of the best that behaviour would name, in a row of content alone. */
const OWN_WEIGHT = 0.1
/** The best newcomer there can be counts this much of the best known neighbour, which is 1 on average. */
const WEIGHT = 0.1

/**
 * Rows that behaviour alone has learned, with what content tells: an item that behaviour left without a row gets one of
 * the known items nearest to it and most wanted, and the row of every known item ends with the few newcomers that promise
 * most there.
 * Nobody knows yet whether a newcomer is wanted, so its cosine is multiplied by its *worth*: what the tried items most
 * like it were worth on average, weighted by likeness (k-nearest-neighbour regression). Those that drew nobody count
 * among them, or else whatever is like a few of them would seem as good as what is like many that were wanted.
 * @param rows by item, best first, at most `most` long; no newcomer is in any
 * @param newcomer by item, 1 where behaviour tells nothing yet; all others were tried
 * @param shown by item, 0 … 1: what it has shown to be worth
 */
export function withContentNeighbours(
  rows: readonly NeighbourInput[],
  newcomer: Uint8Array,
  shown: Float64Array,
  places: Places,
  most: number,
): NeighbourInput[] {
  const all = Uint32Array.from(rows.keys()).filter((item) => hasPlace(item, places))
  const known = all.filter((item) => rows[item].items.length > 0)
  const tried = all.filter((item) => newcomer[item] === 0)
  const newcomers = all.filter((item) => newcomer[item] === 1)
  const likeness = new Float32Array(rows.length)
  const worth = new Float64Array(rows.length)
  const leastLike = new Float32Array(rows.length)
  const whole = [...rows]
  for (const item of all) {
    if (rows[item].items.length > 0) continue
    measure(likeness, item, tried, places)
    if (newcomer[item] === 1) {
      worth[item] = mean(best(likeness, tried, ALIKE), likeness, shown)
      const nearest = best(likeness, known, ROWS_OF_A_NEWCOMER)
      leastLike[item] = nearest.length < ROWS_OF_A_NEWCOMER ? 0 : likeness[nearest[ROWS_OF_A_NEWCOMER - 1]]
    }
    for (const other of known) likeness[other] *= shown[other]
    const own = best(likeness, known, Math.min(OWN_ROW, most))
    whole[item] = withMore(rows[item], own, (other) => OWN_WEIGHT * likeness[other], most)
  }
  const top = newcomers.reduce((largest, item) => Math.max(largest, worth[item]), 0)
  if (top === 0) return whole
  for (const item of known) {
    measure(likeness, item, newcomers, places)
    for (const other of newcomers) likeness[other] = likeness[other] < leastLike[other] ? 0 : (likeness[other] * worth[other]) / top
    const chosen = best(likeness, newcomers, Math.min(NEWCOMERS_IN_A_ROW, most >> 1))
    whole[item] = withMore(whole[item], chosen, (other) => WEIGHT * likeness[other], most)
  }
  return whole
}

/** Nothing is like what neither behaviour nor content tells of. */
const hasPlace = (item: number, { vectors, dimensions }: Places): boolean =>
  vectors.subarray(item * dimensions, (item + 1) * dimensions).some((value) => value !== 0)

/** The best `most` that are above 0, best first, ties by item. */
const best = (value: Float32Array, of: Uint32Array, most: number): number[] =>
  Array.from(topItems(of, of.length, value, most)).filter((item) => value[item] > 0)

/** Mean over items, each weighted; 0 of none. */
function mean(items: readonly number[], weight: Float32Array, value: Float64Array): number {
  let sum = 0
  let total = 0
  for (const item of items) {
    sum += weight[item] * value[item]
    total += weight[item]
  }
  return total > 0 ? sum / total : 0
}

/** Writes the cosine to `item` of each of the others, negative ones as 0. */
function measure(likeness: Float32Array, item: number, others: Uint32Array, { vectors, dimensions }: Places): void {
  const own = vectors.subarray(item * dimensions, (item + 1) * dimensions)
  for (const other of others) {
    let dot = 0
    for (let d = 0; d < dimensions; d++) dot += own[d] * vectors[other * dimensions + d]
    likeness[other] = Math.max(0, dot)
  }
}

/**
 * The row, cut where it would become too long, and behind it what content adds: as much by "similar" as by "together", so
 * that it counts however a release mixes the two; with one of them only, a mix that leaves that out would lose it.
 */
function withMore(row: NeighbourInput, items: readonly number[], weight: (item: number) => number, most: number): NeighbourInput {
  const kept = Math.min(row.items.length, most - items.length)
  const added = items.map(weight)
  return {
    items: [...row.items.slice(0, kept), ...items],
    similar: [...row.similar.slice(0, kept), ...added],
    together: [...row.together.slice(0, kept), ...added],
    next: [...row.next.slice(0, kept), ...items.map(() => 0)],
  }
}
