import type { List } from '../release/list-pack.ts'
import type { RecallParameters } from '../release/manifest.ts'
import type { NeighbourRow } from '../release/neighbour-pack.ts'
import { historyWeights, sessionLength } from './history-weights.ts'
import type { HistoryItem, ReleaseView } from './release-view.ts'
import { topPlaces } from './top.ts'

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

const perColumn = (make: (name: FloatColumn) => Float32Array): Record<FloatColumn, Float32Array> =>
  Object.fromEntries(FLOATS.map((name) => [name, make(name)])) as Record<FloatColumn, Float32Array>

const FIRST_CAPACITY = 1024

/**
 * Scratch columns over the items that a request touches, in the order in which it touches them, reused between calls: an
 * isolate ranks one request at a time. What one request touches lies close together, however large the catalogue is.
 */
export class RecallSpace {
  /** By item: 1 + its place in the columns, 0 while untouched. */
  private readonly placeOf: Uint32Array
  private capacity = 0
  float: Record<FloatColumn, Float32Array> = perColumn(() => new Float32Array(0))
  support = new Uint8Array(0)
  because = new Uint8Array(0)
  becauseWeight = new Float32Array(0)
  historyPosition = new Uint8Array(0)
  touched = new Uint32Array(0)
  touchedCount = 0

  constructor(items: number) {
    this.placeOf = new Uint32Array(items)
    this.reserve(FIRST_CAPACITY)
  }

  /** Makes room for so many items more. Columns may be others afterwards. */
  reserve(more: number): void {
    if (this.touchedCount + more <= this.capacity) return
    this.capacity = Math.max(2 * this.capacity, this.touchedCount + more)
    const grown = <T extends Float32Array | Uint8Array | Uint32Array>(column: T, larger: T): T => {
      larger.set(column)
      return larger
    }
    this.float = perColumn((name) => grown(this.float[name], new Float32Array(this.capacity)))
    this.support = grown(this.support, new Uint8Array(this.capacity))
    this.because = grown(this.because, new Uint8Array(this.capacity).fill(NOWHERE))
    this.becauseWeight = grown(this.becauseWeight, new Float32Array(this.capacity))
    this.historyPosition = grown(this.historyPosition, new Uint8Array(this.capacity).fill(NOWHERE))
    this.touched = grown(this.touched, new Uint32Array(this.capacity))
  }

  /** The item's place in the columns; there must be room. */
  touch(item: number): number {
    const place = this.placeOf[item]
    if (place !== 0) return place - 1
    this.touched[this.touchedCount] = item
    this.placeOf[item] = this.touchedCount + 1
    return this.touchedCount++
  }

  clear(): void {
    const { touched, touchedCount, placeOf } = this
    for (let i = 0; i < touchedCount; i++) placeOf[touched[i]] = 0
    for (const name of FLOATS) this.float[name].fill(0, 0, touchedCount)
    for (const column of [this.support, this.becauseWeight]) column.fill(0, 0, touchedCount)
    for (const column of [this.because, this.historyPosition]) column.fill(NOWHERE, 0, touchedCount)
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
    return picked(topPlaces(places, places.length, { values: space.float.merged, ids: space.touched, most: places.length }), space)
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
  const { items, similar, together, next } = row
  space.reserve(items.length)
  const { float, support, becauseWeight, because } = space
  const { similar: similars, past: pasts, together: togethers, next: nexts, merged } = float
  const similarUnit = weight * row.similarScale
  const togetherUnit = weight * row.togetherScale
  const nextUnit = weight * row.nextScale
  for (let i = 0; i < items.length; i++) {
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
  const { touched, touchedCount } = space
  const { merged } = space.float
  mergeLists(space, recall)
  const kept = new Uint32Array(touchedCount)
  let count = 0
  for (let place = 0; place < touchedCount; place++) if (merged[place] > 0 && allow(touched[place])) kept[count++] = place
  return picked(topPlaces(kept, count, { values: merged, ids: touched, most: recall.candidates }), space)
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

type Columns = Pick<RecallSpace, 'float' | 'support' | 'because' | 'historyPosition' | 'touched'>

/** The columns of some places, all in one buffer: making seventeen would cost more than filling them. */
function picked(places: Uint32Array, { float, support, because, historyPosition, touched }: Columns): Candidates {
  const count = places.length
  const buffer = new ArrayBuffer(count * (4 * (1 + FLOATS.length) + 3))
  let at = 4 * count
  const floats = (name: FloatColumn): Float32Array => {
    const to = new Float32Array(buffer, at, count)
    at += 4 * count
    const from = float[name]
    for (let i = 0; i < count; i++) to[i] = from[places[i]]
    return to
  }
  const bytes = (from: Uint8Array): Uint8Array => {
    const to = new Uint8Array(buffer, at, count)
    at += count
    for (let i = 0; i < count; i++) to[i] = from[places[i]]
    return to
  }
  const item = new Uint32Array(buffer, 0, count)
  for (let i = 0; i < count; i++) item[i] = touched[places[i]]
  return { count, item, ...perColumn(floats), support: bytes(support), because: bytes(because), historyPosition: bytes(historyPosition) }
}
