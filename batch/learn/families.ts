import type { Config, NumericSetting } from '../config.ts'
import { type Interactions, interactions, type Window, withMostPairs } from './interactions.ts'
import { unitScale } from './merge-neighbours.ts'
import { type Gram, gramOf, MOST_PAIRS, similarItems } from './similar.ts'
import type { Sparse } from './sparse.ts'
import { togetherItems, withTwoHops } from './together.ts'

/** A way to learn which items point to which, with the settings worth trying for it, most telling first. */
export type Family = {
  name: 'similar' | 'together'
  tried: { [P in NumericSetting]?: readonly number[] }
  /** source × target weights, the largest of a row 1 on average. */
  weights(window: Window, config: Config): Promise<Sparse>
}

/** "Who wants this wants that", learned from whole visitors; nothing fades, as taste does not. */
const similar: Family = {
  name: 'similar',
  tried: { ridgeBase: [100, 300], visitorPower: [0.5], ridgeScale: [2, 0.3] },
  weights: async (window, config) => unitScale(await similarItems(await latestGram(window, config), config)),
}

/** What visitors ever had, which does not fade: a window keeps it. */
const touched = new WeakMap<Window, Interactions>()

export function everTouched(window: Window): Interactions {
  const known = touched.get(window) ?? interactions(window, Number.POSITIVE_INFINITY)
  touched.set(window, known)
  return known
}

/** What differs only in its ridge is solved from one matrix: a window keeps its latest. */
const latestGrams = new WeakMap<Window, { key: string; gram: Gram }>()

async function latestGram(window: Window, { minVisitors, visitorPower }: Config): Promise<Gram> {
  const key = `${minVisitors} ${visitorPower}`
  const known = latestGrams.get(window)
  if (known?.key === key) return known.gram
  forgetGram(window)
  const gram = await gramOf(withMostPairs(everTouched(window), MOST_PAIRS), { minVisitors, visitorPower })
  latestGrams.set(window, { key, gram })
  return gram
}

function forgetGram(window: Window): void {
  latestGrams.get(window)?.gram.arena.giveBack()
  latestGrams.delete(window)
}

/** "In the same basket or visit", learned from sessions. */
const together: Family = {
  name: 'together',
  tried: { hop: [1, 3, 0], togetherHalfLifeDays: [45], backward: [1], stepDecay: [5] },
  weights: async (window, config) => unitScale(withTwoHops(latestTogether(window, config), config.hop, TWO_HOP_WIDTH)),
}

/** What differs only in its hop is made from one matrix: a window keeps its latest. */
const latestDirect = new WeakMap<Window, { key: string; direct: Sparse }>()

function latestTogether(window: Window, config: Config): Sparse {
  const { sessionReach: reach, stepDecay, backward, togetherHalfLifeDays: halfLifeDays, minVisitors } = config
  const key = `${reach} ${stepDecay} ${backward} ${halfLifeDays} ${minVisitors}`
  const known = latestDirect.get(window)
  if (known?.key === key) return known.direct
  const direct = togetherItems(window, { reach, stepDecay, backward, halfLifeDays, minVisitors })
  latestDirect.set(window, { key, direct })
  return direct
}

/** Frees what a window keeps, once nothing more is learned from it: that may be gigabytes. */
export function forgetFamilies(window: Window): void {
  forgetGram(window)
  touched.delete(window)
  latestDirect.delete(window)
}

/** How many neighbours of each item a two-hop path may use. */
const TWO_HOP_WIDTH = 50

export const families: readonly Family[] = [similar, together]

/** What each family learned from one window. */
export type FamilyWeights = Record<Family['name'], Sparse>

export async function learnFamilies(window: Window, config: Config): Promise<FamilyWeights> {
  const weights = { similar: await similar.weights(window, config), together: await together.weights(window, config) }
  forgetFamilies(window)
  return weights
}
