/** What became of acknowledged events: how many the night's input does not have, and how many more than once. */
export type Account = { acknowledged: number; lost: number; doubled: number }

/**
 * Every event that was made, and whether it was acknowledged. Each names an item of its own, so that it is known again in what
 * the night learns from.
 */
export class Ledger {
  private readonly acknowledged = new Map<string, Set<string>>()
  private made = 0

  /** An item that no other event names. */
  item(tag: string): string {
    return `${tag}~${++this.made}`
  }

  acknowledge(tag: string, items: readonly string[]): void {
    const known = this.acknowledged.get(tag) ?? new Set()
    this.acknowledged.set(tag, known)
    for (const item of items) known.add(item)
  }

  /** How many acknowledged events are not named in the text of the archive. */
  missing(tag: string, archive: string): number {
    return [...(this.acknowledged.get(tag) ?? [])].filter((item) => !archive.includes(`"${item}"`)).length
  }

  /** @param counts how often each item stands in the night's input */
  account(tag: string, counts: ReadonlyMap<string, number>): Account {
    const items = [...(this.acknowledged.get(tag) ?? [])]
    const lost = items.filter((item) => !counts.has(item)).length
    const doubled = items.filter((item) => (counts.get(item) ?? 0) > 1).length
    return { acknowledged: items.length, lost, doubled }
  }
}
