import type { NeighbourInput } from '../../shared/release/neighbour-pack.ts'
import { type Nearest, nearestOf, type Places } from './nearest.ts'

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
export async function withContentNeighbours(
  rows: readonly NeighbourInput[],
  newcomer: Uint8Array,
  shown: Float64Array,
  places: Places,
  most: number,
): Promise<NeighbourInput[]> {
  const all = Uint32Array.from(rows.keys()).filter((item) => hasPlace(item, places))
  const known = all.filter((item) => rows[item].items.length > 0)
  const rowless = all.filter((item) => rows[item].items.length === 0)
  const tried = all.filter((item) => newcomer[item] === 0)
  const newcomers = all.filter((item) => newcomer[item] === 1)
  const whole = [...rows]
  const own = await nearestOf(places, { targets: rowless, others: known, most: Math.min(OWN_ROW, most), factor: shown })
  rowless.forEach((item, i) => {
    whole[item] = withMore(rows[item], own[i], OWN_WEIGHT, most)
  })
  const alike = await nearestOf(places, { targets: newcomers, others: tried, most: ALIKE })
  const worth = new Float64Array(rows.length)
  newcomers.forEach((item, i) => {
    worth[item] = mean(alike[i], shown)
  })
  const top = newcomers.reduce((largest, item) => Math.max(largest, worth[item]), 0)
  if (top === 0) return whole
  const nearest = await nearestOf(places, { targets: newcomers, others: known, most: ROWS_OF_A_NEWCOMER })
  const least = new Float64Array(rows.length)
  newcomers.forEach((item, i) => {
    least[item] = nearest[i].values[ROWS_OF_A_NEWCOMER - 1] ?? 0
  })
  const factor = worth.map((value) => value / top)
  const chosen = await nearestOf(places, {
    targets: known,
    others: newcomers,
    most: Math.min(NEWCOMERS_IN_A_ROW, most >> 1),
    factor,
    least,
  })
  known.forEach((item, i) => {
    whole[item] = withMore(whole[item], chosen[i], WEIGHT, most)
  })
  return whole
}

/** Nothing is like what neither behaviour nor content tells of. */
const hasPlace = (item: number, { vectors, dimensions }: Places): boolean =>
  vectors.subarray(item * dimensions, (item + 1) * dimensions).some((value) => value !== 0)

/** Mean of a value, weighted by likeness; 0 of none. */
function mean({ items, values: weight }: Nearest, value: Float64Array): number {
  let sum = 0
  let total = 0
  items.forEach((item, i) => {
    sum += weight[i] * value[item]
    total += weight[i]
  })
  return total > 0 ? sum / total : 0
}

/**
 * The row, cut where it would become too long, and behind it what content adds: as much by "similar" as by "together", so
 * that it counts however a release mixes the two; with one of them only, a mix that leaves that out would lose it.
 */
function withMore(row: NeighbourInput, { items, values }: Nearest, weight: number, most: number): NeighbourInput {
  const kept = Math.min(row.items.length, most - items.length)
  const added = Array.from(values, (value) => weight * value)
  return {
    items: [...row.items.slice(0, kept), ...items],
    similar: [...row.similar.slice(0, kept), ...added],
    together: [...row.together.slice(0, kept), ...added],
    next: [...row.next.slice(0, kept), ...added.map(() => 0)],
  }
}
