import type { List } from '../release/list-pack.ts'
import type { RecallParameters } from '../release/manifest.ts'
import type { NeighbourRow } from '../release/neighbour-pack.ts'
import { historyWeights, sessionLength } from './history-weights.ts'
import type { HistoryItem, ReleaseView } from './release-view.ts'

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
}

/** Candidates, best merged score first, one column per fact. Columns are `count` long and belong to the caller. */
export type Candidates = {
  count: number
  item: Uint32Array
  /** Σ over history of position weight × similar weight; includes the self weight of items that are in the history. */
  similar: Float32Array
  /** The part of it that comes from earlier sessions. */
  past: Float32Array
  /** The same over "together" weights. */
  together: Float32Array
  /** The newest history item's own contribution. */
  lastSimilar: Float32Array
  lastTogether: Float32Array
  /** How many history items have this one as a neighbour. */
  support: Uint8Array
  /** Position in history of the item that contributes most, 255 when none does. */
  because: Uint8Array
  /** 0 … 1 relative to the list's best; 0 when not on it. */
  cohortList: Float32Array
  regionList: Float32Array
  globalList: Float32Array
  trending: Float32Array
  fresh: Float32Array
  /** Position in history, 255 when not in it. */
  historyPosition: Uint8Array
  merged: Float32Array
}

/** Nobody's position. */
export const NOWHERE = 255

/** Scratch columns over all items, reused between calls: an isolate ranks one request at a time. */
export class RecallSpace {
  readonly items: number
  readonly similar: Float32Array
  readonly past: Float32Array
  readonly together: Float32Array
  readonly lastSimilar: Float32Array
  readonly lastTogether: Float32Array
  readonly support: Uint8Array
  readonly because: Uint8Array
  readonly becauseWeight: Float32Array
  readonly cohortList: Float32Array
  readonly regionList: Float32Array
  readonly globalList: Float32Array
  readonly trending: Float32Array
  readonly fresh: Float32Array
  readonly historyPosition: Uint8Array
  readonly seen: Uint8Array
  readonly touched: Uint32Array
  touchedCount = 0

  constructor(items: number) {
    this.items = items
    this.similar = new Float32Array(items)
    this.past = new Float32Array(items)
    this.together = new Float32Array(items)
    this.lastSimilar = new Float32Array(items)
    this.lastTogether = new Float32Array(items)
    this.support = new Uint8Array(items)
    this.because = new Uint8Array(items).fill(NOWHERE)
    this.becauseWeight = new Float32Array(items)
    this.cohortList = new Float32Array(items)
    this.regionList = new Float32Array(items)
    this.globalList = new Float32Array(items)
    this.trending = new Float32Array(items)
    this.fresh = new Float32Array(items)
    this.historyPosition = new Uint8Array(items).fill(NOWHERE)
    this.seen = new Uint8Array(items)
    this.touched = new Uint32Array(items)
  }

  touch(item: number): void {
    if (this.seen[item] === 1) return
    this.seen[item] = 1
    this.touched[this.touchedCount++] = item
  }

  clear(): void {
    for (let i = 0; i < this.touchedCount; i++) {
      const item = this.touched[i]
      this.similar[item] = 0
      this.past[item] = 0
      this.together[item] = 0
      this.lastSimilar[item] = 0
      this.lastTogether[item] = 0
      this.support[item] = 0
      this.because[item] = NOWHERE
      this.becauseWeight[item] = 0
      this.cohortList[item] = 0
      this.regionList[item] = 0
      this.globalList[item] = 0
      this.trending[item] = 0
      this.fresh[item] = 0
      this.historyPosition[item] = NOWHERE
      this.seen[item] = 0
    }
    this.touchedCount = 0
  }
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

function gather(view: ReleaseView, space: RecallSpace, { history, regions, cohort, trending, fresh }: RecallRequest): void {
  const { recall } = view.manifest
  const inSession = sessionLength(history)
  const weights = historyWeights(history, recall, inSession)
  for (let position = 0; position < Math.min(history.length, NOWHERE); position++) {
    const { item } = history[position]
    space.touch(item)
    if (space.historyPosition[item] === NOWHERE) space.historyPosition[item] = position
  }
  for (let position = 0; position < weights.length; position++) {
    const { item } = history[position]
    const past = position >= inSession
    const own = (weights[position] * (past ? recall.pastSelfWeight : recall.selfWeight) * view.core.repeat[item]) / 255
    space.similar[item] += own
    if (past) space.past[item] += own
    const row = view.neighbours(item)
    if (row !== undefined) addNeighbours(space, row, weights[position], Math.min(position, NOWHERE - 1), past)
  }
  addList(space, space.cohortList, cohort >= 0 ? nearestList(view, regions, cohort)?.list : undefined)
  addList(space, space.regionList, nearestList(view, regions, -1)?.list)
  addList(space, space.globalList, view.list('*', -1))
  addLive(space, space.trending, trending)
  addLive(space, space.fresh, fresh)
}

function addNeighbours(space: RecallSpace, row: NeighbourRow, weight: number, position: number, past: boolean): void {
  const { items, similar, together } = row
  const similarUnit = weight * row.similarScale
  const togetherUnit = weight * row.togetherScale
  for (let i = 0; i < items.length; i++) {
    const item = items[i]
    space.touch(item)
    const bySimilar = similar[i] * similarUnit
    const byTogether = together[i] * togetherUnit
    space.similar[item] += bySimilar
    if (past) space.past[item] += bySimilar
    space.together[item] += byTogether
    space.support[item] += 1
    if (position === 0) {
      space.lastSimilar[item] = bySimilar
      space.lastTogether[item] = byTogether
    }
    const contribution = bySimilar + byTogether
    if (contribution > space.becauseWeight[item]) {
      space.becauseWeight[item] = contribution
      space.because[item] = position
    }
  }
}

function addList(space: RecallSpace, column: Float32Array, list: List | undefined): void {
  if (list === undefined) return
  for (let i = 0; i < list.items.length; i++) {
    const item = list.items[i]
    space.touch(item)
    column[item] = list.scores[i] / 255
  }
}

function addLive(space: RecallSpace, column: Float32Array, live: readonly LiveItem[]): void {
  for (const { item, score } of live) {
    space.touch(item)
    column[item] = score
  }
}

function best(space: RecallSpace, recall: RecallParameters, allow: (item: number) => boolean): Candidates {
  const { listWeight, togetherWeight } = recall
  let top = 0
  let topTogether = 0
  for (let i = 0; i < space.touchedCount; i++) {
    top = Math.max(top, space.similar[space.touched[i]])
    topTogether = Math.max(topTogether, space.together[space.touched[i]])
  }
  const unit = top > 0 ? 1 / top : 0
  const togetherUnit = topTogether > 0 ? 1 / topTogether : 0
  const kept: { item: number; merged: number }[] = []
  for (let i = 0; i < space.touchedCount; i++) {
    const item = space.touched[i]
    if (!allow(item)) continue
    const neighbours = space.similar[item] * unit + togetherWeight * space.together[item] * togetherUnit
    const lists = Math.max(space.cohortList[item], space.regionList[item])
    const live = 0.5 * Math.max(space.trending[item], space.fresh[item])
    const merged = neighbours + listWeight * (lists + live)
    if (merged > 0) kept.push({ item, merged: Math.fround(merged) })
  }
  kept.sort((a, b) => b.merged - a.merged || a.item - b.item)
  const count = Math.min(kept.length, recall.candidates)
  const item = Uint32Array.from({ length: count }, (_, i) => (kept[i] as { item: number }).item)
  const floats = (column: Float32Array): Float32Array => Float32Array.from(item, (index) => column[index])
  const bytes = (column: Uint8Array): Uint8Array => Uint8Array.from(item, (index) => column[index])
  return {
    count,
    item,
    similar: floats(space.similar),
    past: floats(space.past),
    together: floats(space.together),
    lastSimilar: floats(space.lastSimilar),
    lastTogether: floats(space.lastTogether),
    support: bytes(space.support),
    because: bytes(space.because),
    cohortList: floats(space.cohortList),
    regionList: floats(space.regionList),
    globalList: floats(space.globalList),
    trending: floats(space.trending),
    fresh: floats(space.fresh),
    historyPosition: bytes(space.historyPosition),
    merged: Float32Array.from({ length: count }, (_, i) => (kept[i] as { merged: number }).merged),
  }
}
