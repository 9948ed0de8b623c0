import type { List } from '../release/list-pack.ts'
import type { RecallParameters } from '../release/manifest.ts'
import type { NeighbourRow } from '../release/neighbour-pack.ts'
import { historyWeights, sessionLength } from './history-weights.ts'
import type { HistoryItem, ReleaseView } from './release-view.ts'
import { topItems } from './top.ts'

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

/** One number a candidate for every source that may have named it. */
const FLOATS = [
  /** Σ over history of position weight × similar weight. */
  'similar',
  /** The part of it that comes from earlier sessions. */
  'past',
  /** The same over "together" weights. */
  'together',
  /** The same over "next" weights. */
  'next',
  /** The newest history item's own contributions. */
  'lastSimilar',
  'lastTogether',
  'lastNext',
  /** What being in the history itself counts. */
  'own',
  /** 0 … 1 relative to the list's best; 0 when not on it. */
  'cohortList',
  'regionList',
  'globalList',
  'trending',
  'fresh',
  /** What recall orders by. */
  'merged',
] as const
type FloatColumn = (typeof FLOATS)[number]

/** Candidates, best merged score first, one column per fact. Columns are `count` long and belong to the caller. */
export type Candidates = Record<FloatColumn, Float32Array> & {
  count: number
  item: Uint32Array
  /** How many history items have this one as a neighbour. */
  support: Uint8Array
  /** Position in history of the item that contributes most, 255 when none does. */
  because: Uint8Array
  /** Position in history, 255 when not in it. */
  historyPosition: Uint8Array
}

/** Nobody's position. */
export const NOWHERE = 255

/** Scratch columns over all items, reused between calls: an isolate ranks one request at a time. */
export class RecallSpace {
  readonly items: number
  readonly float: Record<FloatColumn, Float32Array>
  readonly support: Uint8Array
  readonly because: Uint8Array
  readonly becauseWeight: Float32Array
  readonly historyPosition: Uint8Array
  readonly seen: Uint8Array
  readonly touched: Uint32Array
  touchedCount = 0

  constructor(items: number) {
    this.items = items
    this.float = perColumn(() => new Float32Array(items))
    this.support = new Uint8Array(items)
    this.because = new Uint8Array(items).fill(NOWHERE)
    this.becauseWeight = new Float32Array(items)
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
    for (const name of FLOATS) this.clearColumn(this.float[name], 0)
    for (const column of [this.support, this.becauseWeight, this.seen]) this.clearColumn(column, 0)
    for (const column of [this.because, this.historyPosition]) this.clearColumn(column, NOWHERE)
    this.touchedCount = 0
  }

  /** Filling a whole column costs less than visiting a sixteenth of its entries one by one. */
  private clearColumn(column: Float32Array | Uint8Array, value: number): void {
    if (16 * this.touchedCount > this.items) column.fill(value)
    else for (let i = 0; i < this.touchedCount; i++) column[this.touched[i]] = value
  }
}

const perColumn = (make: (name: FloatColumn) => Float32Array): Record<FloatColumn, Float32Array> =>
  Object.fromEntries(FLOATS.map((name) => [name, make(name)])) as Record<FloatColumn, Float32Array>

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
    const own = weights[position] * (past ? (recall.pastSelfWeight * view.core.repeat[item]) / 255 : recall.selfWeight)
    space.float.own[item] += own
    space.float.merged[item] += own
    const row = view.neighbours(item)
    const mix = past ? recall.pastTogetherWeight : recall.togetherWeight
    if (row !== undefined) addNeighbours(space, row, { weight: weights[position], mix, position: Math.min(position, NOWHERE - 1), past })
  }
  addList(space, space.float.cohortList, cohort >= 0 ? nearestList(view, regions, cohort)?.list : undefined)
  addList(space, space.float.regionList, nearestList(view, regions, -1)?.list)
  addList(space, space.float.globalList, view.list('*', -1))
  addLive(space, space.float.trending, trending)
  addLive(space, space.float.fresh, fresh)
}

type From = { weight: number; mix: number; position: number; past: boolean }

function addNeighbours(space: RecallSpace, row: NeighbourRow, { weight, mix, position, past }: From): void {
  const { items, similar, together, next } = row
  const { float, support, becauseWeight, because } = space
  const similarUnit = weight * row.similarScale
  const togetherUnit = weight * row.togetherScale
  const nextUnit = weight * row.nextScale
  for (let i = 0; i < items.length; i++) {
    const item = items[i]
    space.touch(item)
    const bySimilar = similar[i] * similarUnit
    const byTogether = together[i] * togetherUnit
    const byNext = next[i] * nextUnit
    float.similar[item] += bySimilar
    if (past) float.past[item] += bySimilar
    float.together[item] += byTogether
    float.next[item] += byNext
    float.merged[item] += (1 - mix) * bySimilar + mix * byTogether
    support[item] += 1
    if (position === 0) {
      float.lastSimilar[item] = bySimilar
      float.lastTogether[item] = byTogether
      float.lastNext[item] = byNext
    }
    const contribution = bySimilar + byTogether
    if (contribution > becauseWeight[item]) {
      becauseWeight[item] = contribution
      because[item] = position
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

/** A live item's place counts this much of a list's. */
const LIVE_WEIGHT = 0.5

function best(
  { float, support, because, historyPosition, touched, touchedCount }: RecallSpace,
  recall: RecallParameters,
  allow: (item: number) => boolean,
): Candidates {
  const { listWeight } = recall
  const { cohortList, regionList, trending, fresh, merged } = float
  let top = 0
  for (let i = 0; i < touchedCount; i++) top = Math.max(top, merged[touched[i]])
  // Lists are relative to their best, so the neighbours beside them are too.
  const unit = top > 0 ? 1 / top : 0
  const kept = new Uint32Array(touchedCount)
  let count = 0
  for (let i = 0; i < touchedCount; i++) {
    const item = touched[i]
    const lists = Math.max(cohortList[item], regionList[item])
    const live = LIVE_WEIGHT * Math.max(trending[item], fresh[item])
    merged[item] = merged[item] * unit + listWeight * (lists + live)
    if (merged[item] > 0 && allow(item)) kept[count++] = item
  }
  const item = topItems(kept, count, merged, recall.candidates)
  const picked = <T extends Float32Array | Uint8Array>(from: T, to: T): T => {
    for (let i = 0; i < item.length; i++) to[i] = from[item[i]]
    return to
  }
  return {
    count: item.length,
    item,
    ...perColumn((name) => picked(float[name], new Float32Array(item.length))),
    support: picked(support, new Uint8Array(item.length)),
    because: picked(because, new Uint8Array(item.length)),
    historyPosition: picked(historyPosition, new Uint8Array(item.length)),
  }
}
