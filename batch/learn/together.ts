import { type Deed, IN_CART, VIEWED } from '../../shared/ranking/release-view.ts'
import type { Deeds } from '../dataset.ts'
import { recency, type Window } from './interactions.ts'
import { type Sparse, SparseBuilder } from './sparse.ts'

export type TogetherOptions = {
  /** How far apart, in steps of a session, two items may stand. */
  reach: number
  halfLifeDays: number
  minVisitors: number
}

/**
 * "In the same basket or visit": source × target weights of how often the target stands near the source in a session,
 * after it counting twice as much as before it, damped by distance and by age, divided by what the items' frequencies
 * alone would give (source^½ · target^⅕). Where the history has carts and purchases, only they count: looking at two
 * things is not wanting them together. A pair counts only when `minVisitors` distinct visitors have it.
 */
export function togetherItems({ dataset, until }: Window, options: TogetherOptions): Sparse {
  const { deeds, items } = dataset
  const steps = distinctSteps(deeds, until, hasBaskets(deeds) ? IN_CART : VIEWED)
  const frequency = new Float64Array(items.length)
  const occurrences: number[][] = items.map(() => [])
  for (let step = 0; step < steps.length; step++) {
    const item = deeds.item[steps[step]]
    frequency[item] += recency(until, deeds.at[steps[step]], options.halfLifeDays)
    occurrences[item].push(step)
  }
  const sum = new Float64Array(items.length)
  const visitors = new Uint32Array(items.length)
  const lastVisitor = new Int32Array(items.length).fill(-1)
  const builder = new SparseBuilder(items.length)
  for (let source = 0; source < items.length; source++) {
    const touched: number[] = []
    for (const step of occurrences[source]) {
      const deed = steps[step]
      const { [deed]: session } = deeds.session
      const weight = recency(until, deeds.at[deed], options.halfLifeDays)
      for (let d = -options.reach; d <= options.reach; d++) {
        const other = steps[step + d]
        if (d === 0 || other === undefined || deeds.session[other] !== session) continue
        const target = deeds.item[other]
        if (visitors[target] === 0) touched.push(target)
        if (lastVisitor[target] !== deeds.visitor[deed] || visitors[target] === 0) visitors[target]++
        lastVisitor[target] = deeds.visitor[deed]
        sum[target] += weight * (d > 0 ? 1 : 0.5) * Math.exp(-(Math.abs(d) - 1) / (options.reach / 2))
      }
    }
    touched.sort((a, b) => a - b)
    for (const target of touched) {
      if (visitors[target] >= options.minVisitors && target !== source) {
        builder.push(target, sum[target] / (Math.sqrt(frequency[source]) * Math.max(frequency[target], 0.2) ** 0.2))
      }
      sum[target] = 0
      visitors[target] = 0
      lastVisitor[target] = -1
    }
    builder.endRow()
  }
  return builder.build()
}

/** Deed positions before `until`, at least as committed as `least`, without an item's repetitions within one session. */
function distinctSteps(deeds: Deeds, until: number, least: Deed): Uint32Array {
  const steps = new Uint32Array(deeds.count)
  let length = 0
  let inSession = new Set<number>()
  for (let k = 0; k < deeds.count; k++) {
    if (k === 0 || deeds.session[k] !== deeds.session[k - 1]) inSession = new Set()
    if (deeds.at[k] >= until || deeds.deed[k] < least || inSession.has(deeds.item[k])) continue
    inSession.add(deeds.item[k])
    steps[length++] = k
  }
  return steps.slice(0, length)
}

/** Fewer carts and purchases than this share of deeds are too few to learn from alone. */
const BASKET_SHARE = 0.05

function hasBaskets(deeds: Deeds): boolean {
  let committed = 0
  for (const deed of deeds.deed) if (deed >= IN_CART) committed++
  return committed >= BASKET_SHARE * deeds.count
}
