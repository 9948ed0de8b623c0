/**
 * The `most` items with the largest values, largest first, ties by lower item: a heap of that size whose root is the worst
 * kept, so that most of the others cost one comparison.
 * @param items the first `count` are looked at @param values by item
 */
export function topItems(items: Uint32Array, count: number, values: Float32Array | Float64Array, most: number): Uint32Array<ArrayBuffer> {
  const heap = new Uint32Array(Math.min(count, most))
  const worse = (a: number, b: number): boolean => values[a] < values[b] || (values[a] === values[b] && a > b)
  const sink = (from: number, length: number): void => {
    let at = from
    const item = heap[at]
    for (;;) {
      let child = 2 * at + 1
      if (child >= length) break
      if (child + 1 < length && worse(heap[child + 1], heap[child])) child++
      if (!worse(heap[child], item)) break
      heap[at] = heap[child]
      at = child
    }
    heap[at] = item
  }
  for (let i = 0; i < heap.length; i++) heap[i] = items[i]
  for (let i = (heap.length >> 1) - 1; i >= 0; i--) sink(i, heap.length)
  for (let i = heap.length; i < count; i++) {
    if (heap.length === 0 || !worse(heap[0], items[i])) continue
    heap[0] = items[i]
    sink(0, heap.length)
  }
  for (let end = heap.length - 1; end > 0; end--) {
    const worst = heap[0]
    heap[0] = heap[end]
    heap[end] = worst
    sink(0, end)
  }
  return heap
}
