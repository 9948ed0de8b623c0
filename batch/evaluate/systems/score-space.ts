import { topItems } from '../../../shared/ranking/top.ts'

/** Scores over all items that are written in a few places, read once and cleared: one query at a time. */
export class ScoreSpace {
  readonly items: number
  private readonly score: Float32Array
  private readonly seen: Uint8Array
  private readonly touched: Uint32Array
  private count = 0

  constructor(items: number) {
    this.items = items
    this.score = new Float32Array(items)
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
  take(k: number): Uint32Array {
    const best = topItems(this.touched, this.count, this.score, k)
    for (let i = 0; i < this.count; i++) {
      this.score[this.touched[i]] = 0
      this.seen[this.touched[i]] = 0
    }
    this.count = 0
    return best
  }
}
