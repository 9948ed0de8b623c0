/** Decoded packs by content hash, least recently used out first, bounded by their bytes. Concurrent asks share one read. */
export class PackCache {
  private readonly budget: number
  private readonly entries = new Map<string, { value: unknown; bytes: number }>()
  private readonly reading = new Map<string, Promise<unknown>>()
  private bytes = 0

  constructor(budget: number) {
    this.budget = budget
  }

  /** What is at hand. A hash stands for one kind of pack, so the caller knows T. */
  peek<T>(hash: string): T | undefined {
    const entry = this.entries.get(hash)
    if (entry === undefined) return undefined
    this.entries.delete(hash)
    this.entries.set(hash, entry)
    return entry.value as T
  }

  /** What is at hand, else what `read` brings; a failed read is not remembered, so that the next request tries again. */
  async get<T>(hash: string, bytes: number, read: () => Promise<T>): Promise<T> {
    const present = this.peek<T>(hash)
    if (present !== undefined) return present
    const running = this.reading.get(hash)
    if (running !== undefined) return running as Promise<T>
    const started = read().then(
      (value) => {
        this.reading.delete(hash)
        this.add(hash, value, bytes)
        return value
      },
      (error: unknown) => {
        this.reading.delete(hash)
        throw error
      },
    )
    this.reading.set(hash, started)
    return started
  }

  private add(hash: string, value: unknown, bytes: number): void {
    this.entries.set(hash, { value, bytes })
    this.bytes += bytes
    for (const [oldest, entry] of this.entries) {
      if (this.bytes <= this.budget || oldest === hash) return
      this.entries.delete(oldest)
      this.bytes -= entry.bytes
    }
  }
}
