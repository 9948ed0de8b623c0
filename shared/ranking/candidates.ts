import type { List } from '../release/list-pack.ts'
import type { RecallParameters } from '../release/manifest.ts'
import type { NeighbourRow } from '../release/neighbour-pack.ts'
import { historyWeights, sessionLength } from './history-weights.ts'
import { type Candidates, type FloatColumn, NOWHERE, type RecallSpace } from './recall-space.ts'
import type { HistoryItem, ReleaseView } from './release-view.ts'
import { sortPlaces } from './top.ts'

/** An item outside the lists that is to be considered: trending now, or new. `score` is 0 … 1, relative to the best of its kind. */
export type LiveItem = { item: number; score: number }

export type RecallRequest = {
  /** Distinct items, newest first; for an item page, the item itself comes first. */
  history: readonly HistoryItem[]
  /** Regions from the narrowest to `*`. */
  regions: readonly string[]
  cohort: number
  trending: readonly LiveItem[]
  fresh: readonly LiveItem[]
  /** The history's fold-in, from whoever has it already. */
  place?: Float32Array | undefined
}

/** The first list there is, from the narrowest region outwards. */
export function nearestList(view: ReleaseView, regions: readonly string[], cohort: number): { region: string; list: List } | undefined {
  for (const region of regions) {
    const list = view.list(region, cohort)
    if (list !== undefined) return { region, list }
  }
  return undefined
}

/**
 * Collects what could be shown: neighbours of the history, the cohort's and the region's lists, what trends and what is
 * new; keeps those that `allow` lets through, the best `manifest.recall.candidates` by merged score. Ties go to the lower item index.
 */
export function recall(view: ReleaseView, space: RecallSpace, request: RecallRequest, allow: (item: number) => boolean): Candidates {
  try {
    gather(view, space, request)
    return best(space, view.manifest.recall, allow)
  } finally {
    // Whatever happened, the next request must find the columns empty.
    space.clear()
  }
}

/**
 * The same facts about exactly these items, whatever named them or did not: best merged score first, ties to the lower item.
 * @param items distinct
 */
export function recallOf(view: ReleaseView, space: RecallSpace, request: RecallRequest, items: readonly number[]): Candidates {
  try {
    gather(view, space, request)
    space.reserve(items.length)
    const places = Uint32Array.from(items, (item) => space.touch(item))
    mergeLists(space, view.manifest.recall)
    return inOrder(space, places, places.length, places.length)
  } finally {
    space.clear()
  }
}

function gather(view: ReleaseView, space: RecallSpace, { history, regions, cohort, trending, fresh }: RecallRequest): void {
  const { recall } = view.manifest
  const inSession = sessionLength(history)
  const weights = historyWeights(history, recall, inSession)
  space.reserve(history.length)
  for (let position = 0; position < Math.min(history.length, NOWHERE); position++) {
    const place = space.touch(history[position].item)
    if (space.historyPosition[place] === NOWHERE) space.historyPosition[place] = position
  }
  for (let position = 0; position < weights.length; position++) {
    const { item } = history[position]
    const past = position >= inSession
    const own = weights[position] * (past ? (recall.pastSelfWeight * view.core.repeat[item]) / 255 : recall.selfWeight)
    space.reserve(1)
    const place = space.touch(item)
    space.float.own[place] += own
    space.float.merged[place] += own
    const row = view.neighbours(item)
    const mix = past ? recall.pastTogetherWeight : recall.togetherWeight
    if (row !== undefined) addNeighbours(space, row, { weight: weights[position], mix, position: Math.min(position, NOWHERE - 1), past })
  }
  addList(space, 'cohortList', cohort >= 0 ? nearestList(view, regions, cohort)?.list : undefined)
  addList(space, 'regionList', nearestList(view, regions, -1)?.list)
  addList(space, 'globalList', view.list('*', -1))
  addLive(space, 'trending', trending)
  addLive(space, 'fresh', fresh)
}

type From = { weight: number; mix: number; position: number; past: boolean }

function addNeighbours(space: RecallSpace, row: NeighbourRow, { weight, mix, position, past }: From): void {
  const { from, to, items, similar, together, next } = row
  space.reserve(to - from)
  const { float, support, becauseWeight, because } = space
  const { similar: similars, past: pasts, together: togethers, next: nexts, merged } = float
  const similarUnit = weight * row.similarScale
  const togetherUnit = weight * row.togetherScale
  const nextUnit = weight * row.nextScale
  for (let i = from; i < to; i++) {
    const place = space.touch(items[i])
    const bySimilar = similar[i] * similarUnit
    const byTogether = together[i] * togetherUnit
    const byNext = next[i] * nextUnit
    similars[place] += bySimilar
    if (past) pasts[place] += bySimilar
    togethers[place] += byTogether
    nexts[place] += byNext
    merged[place] += (1 - mix) * bySimilar + mix * byTogether
    support[place] += 1
    if (position === 0) {
      float.lastSimilar[place] = bySimilar
      float.lastTogether[place] = byTogether
      float.lastNext[place] = byNext
    }
    const contribution = bySimilar + byTogether
    if (contribution > becauseWeight[place]) {
      becauseWeight[place] = contribution
      because[place] = position
    }
  }
}

function addList(space: RecallSpace, name: FloatColumn, list: List | undefined): void {
  if (list === undefined) return
  const { items, scores } = list
  space.reserve(items.length)
  const column = space.float[name]
  for (let i = 0; i < items.length; i++) column[space.touch(items[i])] = scores[i] / 255
}

function addLive(space: RecallSpace, name: FloatColumn, live: readonly LiveItem[]): void {
  space.reserve(live.length)
  const column = space.float[name]
  for (const { item, score } of live) column[space.touch(item)] = score
}

/** A live item's place counts this much of a list's. */
const LIVE_WEIGHT = 0.5

function best(space: RecallSpace, recall: RecallParameters, allow: (item: number) => boolean): Candidates {
  const { kept } = space
  const { merged } = space.float
  const most = recall.candidates
  mergeLists(space, recall)
  const count = keepAbove0(space)
  const few = contenders(kept, count, merged, most)
  // Nearly everything may be shown, so that those few hold enough; where they do not, all the others are asked about as well.
  const allowed = keepAllowed(space, few, allow)
  if (allowed >= most || few === count) return inOrder(space, kept, allowed, most)
  return inOrder(space, kept, contenders(kept, keepAllowed(space, keepAbove0(space), allow), merged, most), most)
}

/** Puts the places that anything speaks for to the front. @returns how many they are */
function keepAbove0({ kept, touchedCount, float: { merged } }: RecallSpace): number {
  let count = 0
  for (let place = 0; place < touchedCount; place++) if (merged[place] > 0) kept[count++] = place
  return count
}

/** Of the first `count` kept, moves those to the front that may be shown. @returns how many they are */
function keepAllowed({ kept, touched }: RecallSpace, count: number, allow: (item: number) => boolean): number {
  let left = 0
  for (let i = 0; i < count; i++) if (allow(touched[kept[i]])) kept[left++] = kept[i]
  return left
}

function inOrder(space: RecallSpace, places: Uint32Array, count: number, most: number): Candidates {
  const order = space.placesInOrder(count)
  sortPlaces(places, count, { values: space.float.merged, ids: space.touched }, order)
  return space.candidates(order, Math.min(count, most))
}

/** By exponent and first three bits of the fraction, how many numbers there are. */
const tally = new Uint16Array(2048)

/**
 * Moves those that may be among the `most` best to the front, which spares sorting two thirds of them. Numbers above 0 stand in
 * the order of their bits. @returns how many they are
 */
function contenders(places: Uint32Array, count: number, values: Float32Array, most: number): number {
  if (count <= most || count > 0xffff) return count
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length)
  tally.fill(0)
  for (let i = 0; i < count; i++) tally[bits[places[i]] >>> 20]++
  let least = tally.length
  for (let above = 0; above < most; ) above += tally[--least]
  let left = 0
  for (let i = 0; i < count; i++) if (bits[places[i]] >>> 20 >= least) places[left++] = places[i]
  return left
}

/** Lists are relative to their best, so the neighbours beside them are too. */
function mergeLists({ float, touchedCount }: RecallSpace, { listWeight }: RecallParameters): void {
  const { cohortList, regionList, trending, fresh, merged } = float
  let top = 0
  for (let place = 0; place < touchedCount; place++) top = Math.max(top, merged[place])
  const unit = top > 0 ? 1 / top : 0
  for (let place = 0; place < touchedCount; place++) {
    const lists = Math.max(cohortList[place], regionList[place])
    const live = LIVE_WEIGHT * Math.max(trending[place], fresh[place])
    merged[place] = merged[place] * unit + listWeight * (lists + live)
  }
}
