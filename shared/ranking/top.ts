type Values = Float32Array | Float64Array

type Top = { values: Values; ids: Uint32Array | null; most: number; heap?: Uint32Array<ArrayBuffer> }

/**
 * The `most` of the first `count` places with the largest values, largest first, ties by lower id: a heap of that size whose
 * root is the worst kept, so that most of the others cost one comparison.
 * @param values by place @param ids by place; null where a place is its own id @param heap what is given back, as long as that is
 */
export function topPlaces(
  places: Uint32Array,
  count: number,
  { values, ids, most, heap = new Uint32Array(Math.min(count, most)) }: Top,
): Uint32Array<ArrayBuffer> {
  const { length } = heap
  for (let i = 0; i < length; i++) heap[i] = places[i]
  for (let i = (length >> 1) - 1; i >= 0; i--) sink(heap, i, length, values, ids)
  for (let i = length; i < count; i++) {
    if (length === 0 || !isWorse(heap[0], places[i], values, ids)) continue
    heap[0] = places[i]
    sink(heap, 0, length, values, ids)
  }
  for (let end = length - 1; end > 0; end--) {
    const worst = heap[0]
    heap[0] = heap[end]
    heap[end] = worst
    sink(heap, 0, end, values, ids)
  }
  return heap
}

const isWorse = (a: number, b: number, values: Values, ids: Uint32Array | null): boolean =>
  values[a] < values[b] || (values[a] === values[b] && (ids === null ? a > b : ids[a] > ids[b]))

function sink(heap: Uint32Array, from: number, length: number, values: Values, ids: Uint32Array | null): void {
  let at = from
  const place = heap[at]
  for (;;) {
    let child = 2 * at + 1
    if (child >= length) break
    if (child + 1 < length && isWorse(heap[child + 1], heap[child], values, ids)) child++
    if (!isWorse(heap[child], place, values, ids)) break
    heap[at] = heap[child]
    at = child
  }
  heap[at] = place
}

/** The same of items themselves. @param items the first `count` are looked at @param values by item */
export const topItems = (items: Uint32Array, count: number, values: Values, most: number): Uint32Array<ArrayBuffer> =>
  topPlaces(items, count, { values, ids: null, most })

/** In so many steps from the greatest value to the least. */
const STEPS = 256
const ends = new Uint32Array(STEPS)
/** By how many places a step may hold before they are put in order in another way. */
const CROWD = 48
let stepOf = new Uint8Array(0)

/**
 * All of the first `count` places in the order of `topPlaces`, into `to`. They are dealt out to steps of equal height, which stand
 * in order, and put right within each: values that are spread out take a few passes so, and those that crowd take the heap.
 * @param values finite
 */
export function sortPlaces(
  places: Uint32Array,
  count: number,
  { values, ids }: Pick<Top, 'values' | 'ids'>,
  to: Uint32Array<ArrayBuffer>,
): void {
  let most = Number.NEGATIVE_INFINITY
  let least = Number.POSITIVE_INFINITY
  for (let i = 0; i < count; i++) {
    const value = values[places[i]]
    if (value > most) most = value
    if (value < least) least = value
  }
  const unit = most > least ? (STEPS - 1) / (most - least) : 0
  if (stepOf.length < count) stepOf = new Uint8Array(count)
  ends.fill(0)
  for (let i = 0; i < count; i++) {
    stepOf[i] = (most - values[places[i]]) * unit
    ends[stepOf[i]]++
  }
  let crowd = 0
  for (let step = 0, end = 0; step < STEPS; step++) {
    const within = ends[step]
    if (within > crowd) crowd = within
    ends[step] = end
    end += within
  }
  if (crowd > CROWD) {
    topPlaces(places, count, { values, ids, most: count, heap: to.subarray(0, count) })
    return
  }
  for (let i = 0; i < count; i++) to[ends[stepOf[i]]++] = places[i]
  for (let i = 1; i < count; i++) {
    const place = to[i]
    let at = i
    for (; at > 0 && isWorse(to[at - 1], place, values, ids); at--) to[at] = to[at - 1]
    to[at] = place
  }
}
