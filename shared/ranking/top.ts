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
