/** Decoded packs by content hash, least recently used out first, bounded by their bytes. */
export class PackCache {
  private readonly budget: number
  private readonly entries = new Map<string, { value: unknown; bytes: number; used: number }>()
  private bytes = 0
  private clock = 0
  private hits = 0
  private misses = 0

  constructor(budget: number) {
    this.budget = budget
  }

  /** What is at hand. A hash stands for one kind of pack, so the caller knows T. */
  get<T>(hash: string): T | undefined {
    const entry = this.entries.get(hash)
    if (entry === undefined) return undefined
    // An answer looks up dozens: taking an entry out and putting it in anew, as the last, makes a map grow again and again.
    entry.used = ++this.clock
    return entry.value as T
  }

  /** What a request asks for, which may have to be read: counted. */
  want<T>(hash: string): T | undefined {
    const present = this.get<T>(hash)
    if (present === undefined) this.misses++
    else this.hits++
    return present
  }

  /** How many packs were wanted and at hand, wanted and not at hand, and how many bytes there are. */
  usage(): { hits: number; misses: number; bytes: number } {
    return { hits: this.hits, misses: this.misses, bytes: this.bytes }
  }

  resetUsage(): void {
    this.hits = 0
    this.misses = 0
  }

  /** A pack larger than the budget is kept alone until the next one comes. */
  add(hash: string, value: unknown, bytes: number): void {
    const before = this.entries.get(hash)
    if (before !== undefined) {
      this.entries.delete(hash)
      this.bytes -= before.bytes
    }
    this.entries.set(hash, { value, bytes, used: ++this.clock })
    this.bytes += bytes
    if (this.bytes <= this.budget) return
    for (const [oldest, entry] of [...this.entries].sort(([, a], [, b]) => a.used - b.used)) {
      if (this.bytes <= this.budget || oldest === hash) return
      this.entries.delete(oldest)
      this.bytes -= entry.bytes
    }
  }
}
