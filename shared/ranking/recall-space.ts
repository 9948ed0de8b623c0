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
export type FloatColumn = (typeof FLOATS)[number]

/** Candidates, best merged score first, one column per fact. Columns are `count` long. */
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
  private readonly lends: boolean
  private lent: Candidates | null = null
  private lentFeatures = new Float32Array(0)
  private lentPlaces = new Uint32Array(0)
  private lentOrdering = { scores: new Float64Array(0), places: new Uint32Array(0), order: new Uint32Array(0) }
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
  /** Places that are still in the running. */
  kept = new Uint32Array(0)

  /**
   * @param lends whether what a request is given stays the space's own, and is overwritten by the next request: the edge has
   * made an answer of it by then, and memory that is not asked for need not be cleared and collected
   */
  constructor(items: number, lends = false) {
    this.lends = lends
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
    this.kept = grown(this.kept, new Uint32Array(this.capacity))
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

  /** The columns of the first `count` places, as candidates. */
  candidates(places: Uint32Array, count: number): Candidates {
    const to = this.lent?.count === count ? this.lent : emptyCandidates(count)
    if (this.lends) this.lent = to
    const { float, support, because, historyPosition, touched } = this
    for (let i = 0; i < count; i++) {
      const place = places[i]
      to.item[i] = touched[place]
      to.support[i] = support[place]
      to.because[i] = because[place]
      to.historyPosition[i] = historyPosition[place]
    }
    for (const name of FLOATS) copy(float[name], places, to[name])
    return to
  }

  /** Room for so many places at least, for features, and for scores and their order. What is in it may be left from before. */
  placesInOrder(least: number): Uint32Array<ArrayBuffer> {
    if (!this.lends || this.lentPlaces.length < least) this.lentPlaces = new Uint32Array(least)
    return this.lentPlaces
  }

  features(length: number): Float32Array<ArrayBuffer> {
    this.lentFeatures = this.room(this.lentFeatures, length, Float32Array)
    return this.lentFeatures
  }

  ordering(length: number): { scores: Float64Array<ArrayBuffer>; places: Uint32Array<ArrayBuffer>; order: Uint32Array<ArrayBuffer> } {
    const { scores, places, order } = this.lentOrdering
    this.lentOrdering = {
      scores: this.room(scores, length, Float64Array),
      places: this.room(places, length, Uint32Array),
      order: this.room(order, length, Uint32Array),
    }
    return this.lentOrdering
  }

  private room<T extends { length: number }>(before: T, length: number, make: new (length: number) => T): T {
    return this.lends && before.length === length ? before : new make(length)
  }
}

function copy(from: Float32Array, places: Uint32Array, to: Float32Array): void {
  for (let i = 0; i < to.length; i++) to[i] = from[places[i]]
}

/** All columns in one buffer: making seventeen would cost more than filling them. */
function emptyCandidates(count: number): Candidates {
  const buffer = new ArrayBuffer(count * (4 * (1 + FLOATS.length) + 3))
  let at = 4 * count
  const floats = (): Float32Array => {
    at += 4 * count
    return new Float32Array(buffer, at - 4 * count, count)
  }
  const bytes = (): Uint8Array => {
    at += count
    return new Uint8Array(buffer, at - count, count)
  }
  return {
    count,
    item: new Uint32Array(buffer, 0, count),
    ...perColumn(floats),
    support: bytes(),
    because: bytes(),
    historyPosition: bytes(),
  }
}
