/** Scores over all items that are written in a few places, read once and cleared: one query at a time. */
export class ScoreSpace {
  readonly items: number
  private readonly score: Float64Array
  private readonly seen: Uint8Array
  private readonly touched: Uint32Array
  private count = 0

  constructor(items: number) {
    this.items = items
    this.score = new Float64Array(items)
    this.seen = new Uint8Array(items)
    this.touched = new Uint32Array(items)
  }

  add(item: number, value: number): void {
    if (this.seen[item] === 0) {
      this.seen[item] = 1
      this.touched[this.count++] = item
    }
    this.score[item] += value
  }

  /** The k best of what was added, ties by item index; the space is empty afterwards. */
  take(k: number): number[] {
    const best = topItems(this.touched.subarray(0, this.count), this.score, k)
    for (let i = 0; i < this.count; i++) {
      this.score[this.touched[i]] = 0
      this.seen[this.touched[i]] = 0
    }
    this.count = 0
    return best
  }
}

/** The k of `items` whose scores are highest, best first, ties by item index. */
export function topItems(items: ArrayLike<number>, score: ArrayLike<number>, k: number): number[] {
  // A heap whose root is the worst of the best so far.
  const heap: number[] = []
  const worse = (a: number, b: number): boolean => score[a] < score[b] || (score[a] === score[b] && a > b)
  const sink = (at: number, item: number): void => {
    let hole = at
    for (;;) {
      let child = 2 * hole + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && worse(heap[child + 1], heap[child])) child++
      if (!worse(heap[child], item)) break
      heap[hole] = heap[child]
      hole = child
    }
    heap[hole] = item
  }
  for (let i = 0; i < items.length; i++) {
    const item = items[i]
    if (heap.length === k) {
      if (k > 0 && worse(heap[0], item)) sink(0, item)
      continue
    }
    heap.push(item)
    if (heap.length === k) for (let at = (k >> 1) - 1; at >= 0; at--) sink(at, heap[at])
  }
  return heap.sort((a, b) => score[b] - score[a] || a - b)
}
