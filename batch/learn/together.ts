import { type Deed, IN_CART, VIEWED } from '../../shared/ranking/release-view.ts'
import { topItems } from '../../shared/ranking/top.ts'
import type { Deeds } from '../dataset.ts'
import { recency, type Window } from './interactions.ts'
import { largest, type Sparse, SparseBuilder } from './sparse.ts'

export type TogetherOptions = {
  /** How far apart, in steps of a session, two items may stand. */
  reach: number
  /** A pair d steps apart counts exp(-(d - 1) / stepDecay). */
  stepDecay: number
  /** How much a pair counts the other way round. */
  backward: number
  halfLifeDays: number
  minVisitors: number
}

/**
 * "In the same basket or visit": source × target weights of how often the target stands near the source in a session,
 * damped by distance, direction and age, divided by what the items' frequencies alone would give (source^½ · target^⅕).
 * Where the history has carts and purchases, only they count: looking at two things is not wanting them together. A pair
 * counts only when `minVisitors` distinct visitors have it.
 */
export const togetherItems = (window: Window, options: TogetherOptions): Sparse =>
  pairs(window, options, hasBaskets(window) ? IN_CART : VIEWED, (source, target) => source ** -0.5 * Math.max(target, 0.2) ** -0.2)

/** "As the very next step": the share of the source's occurrences, weighted by age, that the target follows at once. */
export const nextItems = (window: Window, options: Pick<TogetherOptions, 'halfLifeDays' | 'minVisitors'>): Sparse =>
  pairs(window, { ...options, reach: 1, stepDecay: 1, backward: 0 }, VIEWED, (source) => 1 / source)

/**
 * Adds what the neighbours of neighbours say: W + hop · W·R, where R is W's rows, cut to their largest, as shares. Reaches
 * items that no session has had together yet.
 */
export function withTwoHops(direct: Sparse, hop: number, width: number): Sparse {
  if (hop === 0) return direct
  const rows = Array.from({ length: direct.rows }, (_, row) => largest(direct, row, width))
  const totals = Float64Array.from({ length: direct.rows }, (_, row) => {
    let sum = 0
    for (let k = direct.start[row]; k < direct.start[row + 1]; k++) sum += direct.value[k]
    return sum
  })
  const sum = new Float32Array(direct.rows)
  const builder = new SparseBuilder(direct.columns)
  for (let source = 0; source < direct.rows; source++) {
    const touched: number[] = []
    const add = (target: number, value: number): void => {
      if (target === source) return
      if (sum[target] === 0) touched.push(target)
      sum[target] += value
    }
    for (let k = direct.start[source]; k < direct.start[source + 1]; k++) add(direct.index[k], direct.value[k])
    for (const k of rows[source]) {
      const between = direct.index[k]
      const unit = (hop * direct.value[k]) / totals[between]
      for (const j of rows[between]) add(direct.index[j], unit * direct.value[j])
    }
    const best = topItems(Uint32Array.from(touched), touched.length, sum, MOST_IN_ROW).sort()
    for (const target of best) builder.push(target, sum[target])
    for (const target of touched) sum[target] = 0
    builder.endRow()
  }
  return builder.build()
}

/** Two hops reach thousands; no release holds more than the best 200. */
const MOST_IN_ROW = 400

/** @param scale what a pair's weight is multiplied by, given both items' frequencies (weighted by age) */
function pairs(
  { dataset, until }: Window,
  { reach, stepDecay, backward, halfLifeDays, minVisitors }: TogetherOptions,
  least: Deed,
  scale: (source: number, target: number) => number,
): Sparse {
  const { deeds, items } = dataset
  const steps = distinctSteps(deeds, items.length, until, least)
  const rows = rowsOf(deeds, steps)
  const age = new Float64Array(steps.length)
  const frequency = new Float64Array(items.length)
  for (let step = 0; step < steps.length; step++) {
    age[step] = recency(until, deeds.at[steps[step]], halfLifeDays)
    frequency[rows[step * ROW]] += age[step]
  }
  const { start, occurrences } = byItem(rows, items.length)
  const damping = Float64Array.from({ length: reach }, (_, d) => Math.exp(-d / stepDecay))
  const sum = new Float64Array(items.length)
  const visitors = new Uint32Array(items.length)
  const lastVisitor = new Int32Array(items.length)
  const touched = new Uint32Array(items.length)
  let count = 0
  const add = (target: number, own: number, weight: number): void => {
    if (visitors[target] === 0) {
      touched[count++] = target
      visitors[target] = 1
    } else if (lastVisitor[target] !== own) visitors[target]++
    lastVisitor[target] = own
    sum[target] += weight
  }
  const builder = new SparseBuilder(items.length)
  for (let source = 0; source < items.length; source++) {
    count = 0
    for (let o = start[source]; o < start[source + 1]; o++) {
      const step = occurrences[o]
      const at = step * ROW
      const session = rows[at + SESSION]
      const own = rows[at + VISITOR]
      for (let d = 1; d <= reach && rows[at + d * ROW + SESSION] === session; d++) add(rows[at + d * ROW], own, age[step] * damping[d - 1])
      if (backward === 0) continue
      for (let d = 1; d <= reach && rows[at - d * ROW + SESSION] === session; d++)
        add(rows[at - d * ROW], own, backward * age[step] * damping[d - 1])
    }
    for (const target of touched.subarray(0, count).sort()) {
      if (visitors[target] >= minVisitors && target !== source)
        builder.push(target, sum[target] * scale(frequency[source], frequency[target]))
      sum[target] = 0
      visitors[target] = 0
    }
    builder.endRow()
  }
  return builder.build()
}

/** A step's item, session and visitor, one beside the other: what a pair is made of lies in one cache line, or two. */
const ROW = 3
const SESSION = 1
const VISITOR = 2

function rowsOf(deeds: Deeds, steps: Uint32Array): Uint32Array {
  const rows = new Uint32Array(steps.length * ROW)
  for (let step = 0; step < steps.length; step++) {
    const at = step * ROW
    rows[at] = deeds.item[steps[step]]
    rows[at + SESSION] = deeds.session[steps[step]]
    rows[at + VISITOR] = deeds.visitor[steps[step]]
  }
  return rows
}

/** The steps of every item, in order. */
function byItem(rows: Uint32Array, items: number): { start: Uint32Array; occurrences: Uint32Array } {
  const start = new Uint32Array(items + 1)
  for (let at = 0; at < rows.length; at += ROW) start[rows[at] + 1]++
  for (let item = 0; item < items; item++) start[item + 1] += start[item]
  const next = start.slice()
  const occurrences = new Uint32Array(rows.length / ROW)
  for (let step = 0; step < occurrences.length; step++) occurrences[next[rows[step * ROW]]++] = step
  return { start, occurrences }
}

/** Deed positions before `until`, at least as committed as `least`, without an item's repetitions within one session. */
function distinctSteps(deeds: Deeds, items: number, until: number, least: Deed): Uint32Array {
  const steps = new Uint32Array(deeds.count)
  let length = 0
  /** By item: 1 + the session that had it last. */
  const last = new Uint32Array(items)
  for (let k = 0; k < deeds.count; k++) {
    if (deeds.at[k] >= until || deeds.deed[k] < least || last[deeds.item[k]] === deeds.session[k] + 1) continue
    last[deeds.item[k]] = deeds.session[k] + 1
    steps[length++] = k
  }
  return steps.slice(0, length)
}

/** Fewer carts and purchases than this share of deeds are too few to learn from alone. */
const BASKET_SHARE = 0.05

function hasBaskets({ dataset: { deeds }, until }: Window): boolean {
  let committed = 0
  let all = 0
  for (let k = 0; k < deeds.count; k++) {
    if (deeds.at[k] >= until) continue
    all++
    if (deeds.deed[k] >= IN_CART) committed++
  }
  return committed >= BASKET_SHARE * all
}
